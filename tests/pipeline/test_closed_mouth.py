import logging
from pathlib import Path
from typing import get_args

import click
import numpy as np
import pytest
import torch
from PIL import Image

import headmotion as hm
from headmotion.cli.animate import animate
from headmotion.geometry.rotations import axis_rotation
from headmotion.pipeline.closed_mouth import Mouth, close_mouth, mouth_opening
from headmotion.pipeline.generate_options import GenerateOptions
from headmotion.pipeline.reference import as_reference

FACES = [
    hm.resolve_spec("representation", spec).build()
    for spec in ("landmarks68", {"type": "landmarks68", "dims": 3}, "mesh478")
]
IDS = ["landmarks68", "landmarks68-3d", "mesh478"]
FACE = FACES[0]
LOWER = [55, 56, 57, 58, 59, 65, 66, 67, *range(5, 12)]


def wide_open(by=0.12, turn=0.4):
    """A face in pixels whose mouth is open, tilted by ``turn`` radians."""
    pose = FACE.neutral().clone()
    pose[LOWER, 1] += by
    rotation = torch.tensor([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]], dtype=torch.float32)
    return pose @ rotation * 300 + 50


@pytest.mark.parametrize("turn", [0.0, 0.5, -2.0])
def test_closed_lips_meet_and_the_rest_stays(turn):
    pose = wide_open(turn=turn)
    closed = close_mouth(pose, FACE)
    assert mouth_opening(pose, FACE) > 0.4
    assert mouth_opening(closed, FACE) < 1e-5
    still = [point for point in range(68) if point not in (*range(1, 16), *range(48, 68))]
    assert torch.equal(closed[still], pose[still])
    assert torch.equal(closed[[60, 64]], pose[[60, 64]])
    # The lower lip is as thick as before, and above the chin.
    thickness = [(each[57] - each[66]).norm().item() for each in (pose, closed)]
    assert thickness[1] == pytest.approx(thickness[0], rel=0.05)
    expected = wide_open(by=0.0, turn=turn)
    assert (closed[8] - expected[8]).norm() < 0.35 * (pose[8] - expected[8]).norm()


def seen(pose, yaw):
    """A pose of three dimensions in pixels, turned about a vertical axis (degrees)."""
    return (pose.double() @ axis_rotation(1, torch.tensor(yaw).deg2rad().double()).T * 300 + 200).float()


def test_a_mouth_that_is_seen_from_the_side_is_not_open_for_that():
    pose = FACES[1].neutral().clone()
    pose[LOWER, 1] += 0.06
    openings = [mouth_opening(seen(pose, yaw)[:, :2], FACE) for yaw in (0.0, 25.0, -25.0, 50.0)]
    assert openings == pytest.approx([openings[0]] * 4, rel=0.12)


@pytest.mark.parametrize(("yaw", "is_closed"), [(0.0, True), (20.0, True), (45.0, False), (-60.0, False)])
def test_a_mouth_whose_far_half_is_a_guess_is_closed_only_if_asked(yaw, is_closed, caplog):
    pose = FACES[1].neutral().clone()
    pose[LOWER, 1] += 0.12
    turned = seen(pose, yaw)[:, :2]
    assert (as_reference(turned, FACE).pictured is not None) == is_closed
    assert as_reference(turned, FACE, mouth="closed").pictured is not None


@pytest.mark.parametrize("face", FACES, ids=IDS)
def test_every_face_of_points_can_be_closed(face):
    pose = face.neutral().clone() * 200
    pairs = torch.tensor(face.openings["mouth"])
    pose[pairs[:, 1], 1] += 20
    assert mouth_opening(pose, face) > 0.1
    assert mouth_opening(close_mouth(pose, face), face) < 2e-3


def test_blend_shapes_are_closed_by_their_names(caplog):
    shapes = hm.resolve_spec("representation", "blendshapes").build()
    pose = shapes.neutral()
    for name, value in {"jawOpen": 0.8, "mouthClose": 0.1, "mouthUpperUpLeft": 0.4, "mouthSmileLeft": 0.7}.items():
        pose[shapes.point_names.index(name)] = value
    assert mouth_opening(pose, shapes) == pytest.approx(0.76 * 0.7)
    reference = as_reference(pose, shapes)
    assert "the mouth is open in the reference (53 % of its width)" in caplog.text
    assert mouth_opening(reference.poses[-1], shapes) == 0 and torch.equal(reference.picture_pose, pose)
    assert reference.poses[-1].sum() == pytest.approx(0.7)
    assert torch.equal(as_reference(pose, shapes, mouth="as-is").poses[-1], pose)


def test_what_has_no_mouth_stays():
    other = hm.resolve_spec("representation", "keypoints").build()
    assert mouth_opening(other.neutral(), other) == 0
    assert torch.equal(close_mouth(other.neutral(), other), other.neutral())


def test_a_wide_open_reference_starts_closed_and_says_so(caplog):
    pose = wide_open()
    reference = as_reference(pose, FACE)
    assert "the mouth is open in the reference" in caplog.text
    assert mouth_opening(reference.poses[-1], FACE) < 1e-5
    assert torch.equal(reference.picture_pose, pose)
    assert reference.frame == FACE.frame_of(pose.unsqueeze(0))
    caplog.clear()
    for mouth, other in (("as-is", pose), ("auto", wide_open(by=0.03)), ("auto", torch.stack([pose, pose]))):
        left = as_reference(other, FACE, mouth=mouth)
        assert torch.equal(left.poses.reshape(-1, 68, 2), other.reshape(-1, 68, 2))
        assert left.pictured is None
    smile = as_reference(wide_open(by=0.03), FACE, mouth="closed")
    assert mouth_opening(smile.poses[-1], FACE) < 1e-5
    assert not caplog.records
    with pytest.raises(hm.MotionError, match="'auto', 'closed' or 'as-is'"):
        as_reference(pose, FACE, mouth="shut")


def test_lips_that_stay_apart_in_a_picture_are_said(tmp_path, caplog):
    picture = tmp_path / "face.png"
    Image.new("RGB", (8, 8)).save(picture)
    smile = wide_open(by=0.03)
    reference = as_reference(picture, FACE, lambda path: smile[None])
    (message,) = caplog.messages
    assert "the lips are apart in the picture" in message and "--mouth closed" in message
    assert torch.equal(reference.poses[0], smile) and reference.pictured is None
    caplog.clear()
    as_reference(picture, FACE, lambda path: smile[None], mouth="as-is")
    as_reference(picture, FACE, lambda path: wide_open(by=0.0)[None])
    as_reference(picture, FACE, lambda path: smile[None], mouth="closed")
    assert not caplog.messages


@pytest.mark.parametrize("box", [None, (110, 0, 320, 210)])
def test_the_smile_of_the_bundled_portrait_is_said_however_it_is_cropped(box, tmp_path, caplog):
    with Image.open(Path(hm.__file__).parent / "assets" / "portrait.png") as picture:
        (picture if box is None else picture.crop(box)).save(tmp_path / "face.png")
    hm.load("ms-sync", device="cpu").reference(tmp_path / "face.png")
    assert "the lips are apart in the picture (1" in caplog.text  # teeth are seen between them


def test_lips_of_the_bundled_portrait_meet_in_speech_so_nothing_is_said(caplog):
    assets = Path(hm.__file__).parent / "assets"
    pipe = hm.load(device="cpu")
    reference = pipe.reference(assets / "portrait.png")
    assert not caplog.messages and mouth_opening(reference.poses[-1], FACE) > 0.1
    motion = pipe.generate(assets / "speech.flac", reference=reference)
    openings = [mouth_opening(frame, FACE) for frame in motion.values]
    assert np.percentile(openings, 3) < 0.03  # those of the sounds that close the lips


def test_silence_is_closed_and_the_motion_carries_the_picture(caplog):
    caplog.set_level(logging.ERROR, logger="headmotion")
    pipe = hm.load("ms-sync")
    pose = wide_open(turn=0.0)
    motion = pipe.generate(hm.Audio(np.zeros(16_000, np.float32), 16_000), reference=pose)
    assert max(mouth_opening(frame, FACE) for frame in motion.values) < 0.03
    assert torch.equal(motion.reference, pose)


def test_an_option_of_animate_passes_it_on():
    assert GenerateOptions.parse({"mouth": "as-is"}).mouth == "as-is"
    assert GenerateOptions.parse({}).mouth == "auto"
    with pytest.raises(hm.SpecError, match="mouth"):
        GenerateOptions.parse({"mouth": "shut"})
    option = next(parameter for parameter in animate.params if parameter.name == "mouth")
    assert isinstance(option.type, click.Choice) and tuple(option.type.choices) == get_args(Mouth)
