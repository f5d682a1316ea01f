"""Pictures that are no good reference: one clear line each, an error or a warning."""

import re

import cv2
import numpy as np
import pytest
from skimage import data

import headmotion as hm
from headmotion.core.errors import DetectorError
from headmotion.core.interfaces.specs import BuildContext
from headmotion.detectors.reference_pose import PoseFinder
from headmotion.detectors.specs import FaceMeshSpec

FACE = hm.resolve_spec("representation", "landmarks68").build()
PERSON = data.astronaut()[:300, 80:380]
RNG = np.random.default_rng(0)
NO_FACE = {
    "noise": RNG.integers(0, 256, (320, 320, 3), dtype=np.uint8),
    "one pixel": np.full((1, 1, 3), 9, np.uint8),
    "a line": np.full((2, 30_000, 3), 90, np.uint8),
    "one color": np.full((320, 320, 3), (200, 150, 120), np.uint8),
    "a cat": np.ascontiguousarray(data.chelsea()),
    "an object": np.ascontiguousarray(data.coffee()),
}


@pytest.fixture(scope="module")
def finder():
    detector = FaceMeshSpec().build(BuildContext(representation=FACE, audio_channels=26))
    return PoseFinder(detector, FACE)


def small(edge, around=360):
    picture = np.full((around, around, 3), 180, np.uint8)
    picture[100 : 100 + edge, 120 : 120 + edge] = cv2.resize(PERSON, (edge, edge), interpolation=cv2.INTER_AREA)
    return picture


@pytest.mark.parametrize("name", NO_FACE)
def test_no_face_is_one_line(finder, name):
    with pytest.raises(DetectorError, match="a face in the picture") as caught:
        finder.in_picture(NO_FACE[name])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("picture", "warning"),
    [
        (np.hstack([PERSON, PERSON[:, ::-1]]), r"2 faces: 1 at .*, 2 at .*; the largest is taken, face=N"),
        (np.ascontiguousarray(PERSON[::-1, ::-1]), r"turned by 1[78]\d degrees: turn the picture upright"),
        (np.ascontiguousarray(np.rot90(PERSON)), r"turned by [89]\d degrees: turn the picture upright"),
        (small(100), r"the face is small \(\d+ px between the outer eye corners\)"),
    ],
    ids=["two", "upside down", "on its side", "small"],
)
def test_a_poor_face_is_found_with_one_warning(finder, picture, warning, caplog):
    pose = finder.in_picture(picture)
    assert pose.shape == (1, 68, 2)
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert re.search(warning, record.getMessage())


def test_a_face_of_20_pixels_is_none(finder):
    with pytest.raises(DetectorError, match="the face is larger"):
        finder.in_picture(small(36, 640))
