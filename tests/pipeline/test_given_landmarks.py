from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import headmotion as hm
from headmotion.pipeline.given_landmarks import LOOK_EDGE, warn_if_elsewhere

ASSETS = Path(hm.__file__).parent / "assets"
FACE = hm.resolve_spec("representation", "landmarks68").build()
POSE = torch.from_numpy(np.load(ASSETS / "portrait_landmarks.npz")["landmarks"][:, :2].astype(np.float32))


@pytest.mark.parametrize(
    ("pose", "said"),
    [
        (POSE, ""),
        (POSE + 20, ""),
        (POSE * 2, "and the landmarks are 182 px large at (450, 264)"),
        (POSE + 200, "the landmarks are 91 px large at (425, 332): are they those of this picture?"),
        ((POSE - POSE.mean(0)) * 0.1 + POSE.mean(0), "the landmarks are 9 px large"),
    ],
    ids=["its own", "not exact", "of a larger picture", "shifted", "much smaller"],
)
def test_landmarks_that_lie_elsewhere_than_the_face_are_said(pose, said, caplog):
    warn_if_elsewhere(ASSETS / "portrait.png", pose, FACE)
    assert len(caplog.messages) == bool(said) and all(said in text for text in caplog.messages)


def test_places_are_those_of_the_whole_picture(tmp_path, caplog):
    large = tmp_path / "large.png"
    with Image.open(ASSETS / "portrait.png") as picture:
        picture.resize((3 * LOOK_EDGE, 3 * LOOK_EDGE)).save(large)
    warn_if_elsewhere(large, POSE * 3 * LOOK_EDGE / 512, FACE)
    assert not caplog.messages
    warn_if_elsewhere(large, POSE, FACE)
    assert "the landmarks are 91 px large at (225, 132)" in caplog.text


@pytest.mark.parametrize("name", ["keypoints", "blendshapes"])
def test_what_is_no_face_in_a_picture_is_not_asked(name, caplog):
    other = hm.resolve_spec("representation", name).build()
    warn_if_elsewhere(ASSETS / "portrait.png", other.neutral(), other)
    assert not caplog.messages


def test_a_picture_without_a_face_says_nothing(tmp_path, caplog):
    picture = tmp_path / "drawing.png"
    Image.new("RGB", (64, 64), "gray").save(picture)
    warn_if_elsewhere(picture, POSE, FACE)
    assert not caplog.messages
