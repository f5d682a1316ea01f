"""Each file is read back by a reader that is not headmotion's."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.interfaces.specs import RepresentationSpec, resolve_spec
from headmotion.data.synthetic.espeak.spoken_clips import spoken_clip
from headmotion.export import write_motion
from headmotion.export.formats import SUFFIXES
from headmotion.export.live_link import HEADER, SHAPES, timecode
from headmotion.export.mouth_shapes import SHAPES as MOUTHS
from headmotion.export.mouth_shapes import WIDEST_OPENING, clock, cues, mouth_shapes

NTSC = Fraction(30000, 1001)
ARM = {
    "type": "joints",
    "names": ["hip", "knee"],
    "parents": [-1, 0],
    "offsets": [[0, 0, 0], [0, -1, 0]],
    "ends": [{"joint": 1, "offset": [0, -1, 0.1]}],
}


def representation(description: Any) -> hm.Representation:
    spec = resolve_spec("representation", description)
    assert isinstance(spec, RepresentationSpec)
    return spec.build()


def noisy_motion(description: Any, frames: int = 7, fps: Fraction = NTSC, units: str = "px") -> hm.Motion:
    built = representation(description)
    noise = torch.randn(frames, built.points, built.dims, generator=torch.Generator().manual_seed(1))
    values = built.neutral() + 0.02 * noise
    frame = hm.UnitSquare(200.0, 160.0, 300.0)
    if units == "px":
        values = built.denormalize(values, frame)
    return hm.Motion(values, fps, built.spec.model_dump(mode="json"), frame, units, reference=values[0])


def face(opening: float, width: float) -> torch.Tensor:
    """The neutral face with the lips so far apart and the mouth so wide, as `mouth_shapes` counts."""
    pose = representation("landmarks68").neutral()
    eyes, middle = float((pose[36] - pose[45]).norm()), float(pose[48:, 0].mean())
    pose[48:, 0] = middle + (pose[48:, 0] - middle) * (1 + width)
    pose[[65, 66, 67], 1] = pose[[63, 62, 61], 1] + opening * WIDEST_OPENING * eyes
    return pose


# Tables


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("landmarks68", ["jaw_0_x", "jaw_0_y", "jaw_1_x"]),
        ({"type": "landmarks68", "dims": 3}, ["jaw_0_x", "jaw_0_y", "jaw_0_z"]),
        ({"type": "keypoints", "jacobians": True}, ["keypoint_0_0", "keypoint_0_1", "keypoint_0_2"]),
    ],
)
def test_a_table_holds_every_number(description: Any, names: list[str], tmp_path: Path) -> None:
    motion = noisy_motion(description)
    with write_motion(motion, tmp_path / "talk.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header[:4] == ["time", *names] and len(set(header)) == 1 + motion.values[0].numel()
    table = np.array(rows, dtype=np.float64)
    assert np.abs(table[:, 0] - np.arange(7) * 1001 / 30000).max() < 1e-9
    np.testing.assert_array_equal(table[:, 1:].astype(np.float32), motion.values.flatten(1).numpy())


def test_names_of_joints_may_hold_commas(tmp_path: Path) -> None:
    skeleton = {"type": "joint-positions", "names": ['left, "upper"', "right"], "parents": [-1, 0], "dims": 2}
    with write_motion(noisy_motion(skeleton), tmp_path / "talk.csv").open(newline="") as stream:
        assert next(csv.reader(stream)) == ["time", 'left, "upper"_x', 'left, "upper"_y', "right_x", "right_y"]


def test_motion_files_are_those_of_save(tmp_path: Path) -> None:
    motion = noisy_motion("landmarks68")
    with np.load(write_motion(motion, tmp_path / "talk.npz")) as stored:
        np.testing.assert_array_equal(stored["values"], motion.values)
        assert str(stored["fps"]) == "30000/1001"
    stored = json.loads(write_motion(motion, tmp_path / "talk.json").read_text())
    np.testing.assert_array_equal(np.array(stored["values"], np.float32), motion.values)


# Live Link Face


def test_a_file_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    motion = hm.Motion(torch.zeros(2, 68, 2), 25)
    with pytest.raises(hm.MotionError, match="a file that can be written"):
        write_motion(motion, tmp_path / "file" / "m.csv")


def test_blend_shapes_lie_in_live_links_columns(tmp_path: Path) -> None:
    values = torch.rand(130, 52, 1, generator=torch.Generator().manual_seed(0))
    motion = hm.Motion(values, Fraction(60), {"type": "blendshapes"}, units="unit")
    with write_motion(motion, tmp_path / "face.csv", "live-link").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 130 and len(rows[0]) == 63 and {row["BlendShapeCount"] for row in rows} == {"61"}
    names = representation("blendshapes").point_names
    for frame, row in enumerate(rows):
        assert all(np.float32(row[f"{n[0].upper()}{n[1:]}"]) == values[frame, k, 0] for k, n in enumerate(names))
        assert all(float(row[name]) == 0 for name in HEADER[-9:])
    assert [rows[k]["Timecode"] for k in (0, 59, 60, 129)] == [
        *("00:00:00:00.000", "00:00:00:59.000", "00:00:01:00.000", "00:00:02:09.000")
    ]


def test_live_links_columns_are_61_and_differ() -> None:
    assert len(set(HEADER)) == len(HEADER) == 63 and len(SHAPES) == 52
    assert HEADER[2] == "EyeBlinkLeft" and HEADER[53:55] == ("TongueOut", "HeadYaw") and HEADER[-1] == "RightEyeRoll"


@given(st.integers(0, 10**7), st.sampled_from([Fraction(25), Fraction(60), NTSC, Fraction(1, 3), Fraction(119, 2)]))
def test_a_timecode_says_when_a_frame_is(frame: int, fps: Fraction) -> None:
    hours, minutes, seconds, frames = timecode(frame / fps, fps).split(":")
    per_second = max(1, round(fps))
    assert int(minutes) < 60 and int(seconds) < 60 and float(frames) < per_second
    seconds_read = 3600 * int(hours) + 60 * int(minutes) + int(seconds) + Fraction(frames) / per_second
    assert abs(seconds_read - frame / fps) <= Fraction(1, 2000) / per_second


# glTF


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
def test_gltf_without_its_extra_is_one_clear_line(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    with pytest.raises(
        hm.MotionError, match=r"the package pygltflib, got no pygltflib; pip install .headmotion\[gltf\]"
    ):
        write_motion(noisy_motion("landmarks68"), tmp_path / f"talk{suffix}")
    assert not list(tmp_path.iterdir())


# WebVTT


@pytest.mark.parametrize(
    ("opening", "width", "letter"),
    [
        (0.0, 0.0, "A"),
        (0.03, 0.02, "A"),
        (0.3, 0.06, "B"),
        (0.65, 0.0, "C"),
        (1.1, 0.0, "D"),
        (0.6, -0.15, "E"),
        (0.25, -0.22, "F"),
    ],
)
def test_a_mouth_has_the_nearest_shape(opening: float, width: float, letter: str) -> None:
    built = representation("landmarks68")
    values = torch.stack([face(0, 0), face(opening, width)])
    motion = hm.Motion(values, Fraction(25), units="unit", reference=face(0, 0))
    assert mouth_shapes(motion, built) == ["A", letter]


def test_an_open_reference_is_no_reason_for_an_open_mouth() -> None:
    frames = [face(0.4, 0), *[face(0.4, 0)] * 3, *[face(1.4, 0)] * 3]
    motion = hm.Motion(torch.stack(frames), Fraction(25), units="unit", reference=face(0.4, 0))
    assert mouth_shapes(motion, representation("landmarks68")) == [*"AAAADDD"]


def test_most_frames_have_the_shape_that_a_synthetic_speaker_aims_at() -> None:
    agreed = []
    for seed in range(3):
        try:
            clip = spoken_clip(seed, clean=True)
        except hm.CorpusError as error:
            pytest.skip(str(error))
        mouth = clip.face_motion.mouth
        aims = np.stack([mouth.opening, 2.5 * mouth.width], axis=-1)
        targets = np.array([(opened, 2.5 * wide) for opened, wide, _ in MOUTHS.values()])
        truth = np.linalg.norm(aims[:, None] - targets, axis=-1).argmin(axis=1)
        letters = mouth_shapes(
            hm.Motion(torch.tensor(clip.landmarks[..., :2]), Fraction(25)), representation("landmarks68")
        )
        agreed += [list(MOUTHS)[k] == letter for k, letter in zip(truth, letters, strict=True)]
    assert np.mean(agreed) > 0.75


def test_cues_are_runs_of_frames(tmp_path: Path) -> None:
    runs = [("A", 3), ("D", 40), ("A", 3), ("F", 6)]
    poses = {"A": face(0, 0), "D": face(1, 0), "F": face(0.27, -0.2)}
    frames = torch.stack([poses[letter] for letter, count in runs for _ in range(count)])
    motion = hm.Motion(frames, NTSC, units="unit", reference=face(0, 0))
    with av.open(str(write_motion(motion, tmp_path / "talk.vtt"))) as file:  # FFmpeg's reader
        packets = [packet for packet in file.demux() if packet.size]
        read = [
            (bytes(cue).decode(), Fraction(cue.pts) * cue.time_base, cue.duration * cue.time_base) for cue in packets
        ]
    assert [letter for letter, _, _ in read] == [letter for letter, _ in runs]
    first = 0
    for (_, start, duration), (_, count) in zip(read, runs, strict=True):
        assert abs(start - first / NTSC) <= Fraction(1, 2000)
        assert abs(start + duration - (first + count) / NTSC) <= Fraction(1, 2000)
        first += count


@given(st.fractions(0, 400_000, max_denominator=100_000))
def test_a_clock_is_within_half_a_millisecond(stamp: Fraction) -> None:
    hours, minutes, seconds = clock(stamp).split(":")
    assert int(minutes) < 60 and Fraction(seconds) < 60 and len(seconds) == 6
    assert abs(3600 * int(hours) + 60 * int(minutes) + Fraction(seconds) - stamp) <= Fraction(1, 2000)


# Mistakes


@pytest.mark.parametrize(
    ("motion", "name", "format", "named"),
    [
        (lambda: noisy_motion("landmarks68"), "talk.fbx", None, r"\.npz.*\.vtt.*talk\.fbx"),
        (lambda: noisy_motion("landmarks68"), "talk", None, "talk"),
        (lambda: noisy_motion("landmarks68"), "talk.csv", "excel", "excel"),
        (lambda: noisy_motion("landmarks68"), "talk.vtt", "live-link", r"\.csv for live-link"),
        (lambda: noisy_motion("landmarks68")[:0], "talk.csv", None, "frames, got none"),
        (lambda: noisy_motion("landmarks68"), "talk.bvh", None, "joints.*landmarks68"),
        (lambda: noisy_motion("landmarks68"), "talk.csv", "live-link", "ARKit.*landmarks68"),
        (lambda: noisy_motion("keypoints"), "talk.vtt", None, "mouth.*keypoints"),
    ],
)
def test_what_does_not_fit_is_refused(
    motion: Callable[[], hm.Motion], name: str, format: str | None, named: str, tmp_path: Path
) -> None:
    with pytest.raises(hm.MotionError, match=named):
        write_motion(motion(), tmp_path / name, format)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", SUFFIXES)
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(format: str, number: float, tmp_path: Path) -> None:
    motion = noisy_motion("landmarks68")
    motion.values[3, 5, 1] = number
    with pytest.raises(hm.MotionError, match="finite"):
        write_motion(motion, tmp_path / f"talk{SUFFIXES[format]}", format)
    assert not list(tmp_path.iterdir())


def test_values_of_another_representation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(hm.MotionError, match="68"):
        write_motion(hm.Motion(torch.zeros(3, 5, 2), Fraction(25)), tmp_path / "talk.csv")


# The command


def test_the_command_writes_what_the_name_says(tmp_path: Path) -> None:
    source = noisy_motion("landmarks68").save(tmp_path / "talk.npz")
    for name in ("talk.csv", "talk.vtt", "talk.json"):
        result = CliRunner().invoke(cli, ["export", str(source), "-o", str(tmp_path / name)])
        assert (result.exit_code, result.output) == (0, f"{tmp_path / name}\n")
        assert (tmp_path / name).stat().st_size


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["talk.npz", "--reference", "talk.npz"], "for a MODEL"),
        (["ms-sync", "--to", "landmarks68"], "for a MOTION"),
        (["x", "--format", "csv"], "for a MOTION"),
    ],
)
def test_options_for_something_else_are_refused(arguments: list[str], what: str, tmp_path: Path) -> None:
    noisy_motion("landmarks68").save(tmp_path / "talk.npz")
    command_line = [str(tmp_path / name) if name == "talk.npz" else name for name in arguments]
    result = CliRunner().invoke(cli, ["export", *command_line, "-o", str(tmp_path / "out.csv")])
    assert result.exit_code == 2 and what in result.output


def test_the_command_reads_bvh(tmp_path: Path) -> None:
    write_motion(noisy_motion(ARM, units="unit"), tmp_path / "walk.bvh")
    result = CliRunner().invoke(cli, ["export", str(tmp_path / "walk.bvh"), "-o", str(tmp_path / "walk.csv")])
    assert result.exit_code == 0, result.output
    with (tmp_path / "walk.csv").open(newline="") as stream:
        assert len(list(csv.reader(stream))) == 8


def test_bvh_by_hand(tmp_path: Path) -> None:
    motion = noisy_motion(ARM, units="unit")
    lines = write_motion(motion, tmp_path / "walk.bvh").read_text().split("\n")
    assert lines[0] == "HIERARCHY" and lines[1] == "ROOT hip" and "JOINT knee" in [line.strip() for line in lines]
    first = lines.index("MOTION")
    assert lines[first + 1] == "Frames: 7" and abs(float(lines[first + 2].split()[-1]) - 1001 / 30000) < 1e-12
    assert {len(line.split()) for line in lines[first + 3 :] if line} == {9}


def test_the_command_converts_landmarks_to_live_link(tmp_path: Path) -> None:
    source, target = noisy_motion("landmarks68").save(tmp_path / "talk.npz"), tmp_path / "face.csv"
    arguments = ["export", str(source), "--to", "blendshapes", "--format", "live-link", "-o", str(target)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    converted = noisy_motion("landmarks68").to("blendshapes")
    names = representation("blendshapes").point_names
    with target.open(newline="") as stream:
        for row, frame in zip(csv.DictReader(stream), converted.values, strict=True):
            expected = dict(zip(names, frame[:, 0].tolist(), strict=True))
            assert all(np.float32(row[name[0].upper() + name[1:]]) == np.float32(expected[name]) for name in names)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("BBBCCC", [("B", 3), ("C", 3)]),
        ("BBBCBBB", [("B", 7)]),  # a flicker
        ("BBBACCCC", [("B", 3), ("A", 2), ("C", 3)]),  # a closure of one frame takes another
        ("BBBACC", [("B", 4), ("C", 2)]),  # unless what follows would be too short
        ("CBBB", [("B", 4)]),
        ("BBBC", [("B", 4)]),
        ("C", [("C", 1)]),
        ("", []),
    ],
)
def test_no_cue_is_too_short(letters: str, expected: list[tuple[str, int]]) -> None:
    found = cues(letters, 2)
    assert sum(frames for _, frames in found) == len(letters)
    assert len(found) < 2 or min(frames for _, frames in found) >= 2
    assert found == expected


@given(st.text(alphabet="ABCDEF", max_size=60), st.integers(1, 5))
def test_cues_are_long_enough_whatever_the_mouth_does(letters: str, least: int) -> None:
    found = cues(letters, least)
    assert sum(frames for _, frames in found) == len(letters)
    assert len(found) < 2 or min(frames for _, frames in found) >= least
