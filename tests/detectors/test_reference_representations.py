"""A picture as the reference of a pipeline, in each representation that the bundled detector gives."""

from __future__ import annotations

import time
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import headmotion as hm
from headmotion.core.errors import DetectorError
from headmotion.core.interfaces.specs import BuildContext
from headmotion.detectors.reference_pose import PoseFinder
from headmotion.detectors.specs import FaceMeshSpec

SHAPES = {"landmarks68": (68, 2), "landmarks68-3d": (68, 3), "mesh478": (478, 3), "blendshapes": (52, 1)}
PORTRAIT = Path(str(files("headmotion") / "assets/portrait.png"))
PERSON = np.ascontiguousarray(data.astronaut()[:300, 80:380])
RNG = np.random.default_rng(0)


def small(edge: int, around: int = 360) -> np.ndarray:
    picture = np.full((around, around, 3), 180, np.uint8)
    picture[100 : 100 + edge, 120 : 120 + edge] = cv2.resize(PERSON, (edge, edge), interpolation=cv2.INTER_AREA)
    return picture


NO_FACE = {
    "noise": RNG.integers(0, 256, (320, 320, 3), dtype=np.uint8),
    "one pixel": np.full((1, 1, 3), 9, np.uint8),
    "a line": np.full((2, 30_000, 3), 90, np.uint8),
    "one color": np.full((320, 320, 3), (200, 150, 120), np.uint8),
    "a cat": np.ascontiguousarray(data.chelsea()),
    "coins with heads": np.stack([data.coins()] * 3, -1),
    "a face of 20 pixels": small(36, 640),
}
POOR = {
    "two": (np.hstack([PERSON, PERSON[:, ::-1]]), "2 faces: 1 at"),
    "upside down": (np.ascontiguousarray(PERSON[::-1, ::-1]), "degrees: turn the picture upright"),
    "on its side": (np.ascontiguousarray(np.rot90(PERSON)), "degrees: turn the picture upright"),
    "small": (small(100), "the face is small"),
}


@pytest.fixture(scope="module")
def finders() -> dict[str, PoseFinder]:
    built = {name: hm.resolve_spec("representation", name).build() for name in ("mesh478", "blendshapes")}
    return {name: PoseFinder(FaceMeshSpec().build(BuildContext(each, 1)), each) for name, each in built.items()}


@pytest.mark.parametrize("name", ["mesh478", "blendshapes"])
def test_a_picture_is_the_reference(name: str) -> None:
    generator = {"type": "ms-sync", "preset": "small", "hidden_size": 8, "pose_size": 8, "branch_size": 8}
    pipe = hm.build({"representation": name, "generator": generator, "renderer": "skeleton"}, device="cpu")
    reference = pipe.reference(PORTRAIT)
    assert reference.poses.shape == (1, *SHAPES[name])
    if name == "blendshapes":  # she smiles
        names = pipe.representation.point_names
        assert reference.poses[0, names.index("mouthSmileLeft"), 0] > 0.5
        assert reference.frame == hm.UnitSquare(0.5, 0.5, 1.0)
    motion = pipe.generate((np.zeros(3200, np.float32), 16_000), reference=reference)
    assert motion.values.shape == (5, *SHAPES[name]) and torch.equal(motion.reference, reference.poses[0])


@pytest.mark.parametrize("picture", NO_FACE)
def test_no_face_is_one_line_within_5_seconds(finders: dict[str, PoseFinder], picture: str) -> None:
    """What is found does not depend on the representation, so one of them tries everything."""
    begun = time.process_time()
    with pytest.raises(DetectorError, match="a face in the picture") as caught:
        finders["blendshapes"].in_picture(NO_FACE[picture])
    assert "\n" not in str(caught.value) and time.process_time() - begun < 5
    if picture == "one pixel":
        with pytest.raises(DetectorError, match="a face in the picture"):
            finders["mesh478"].in_picture(NO_FACE[picture])


@pytest.mark.parametrize(
    ("name", "picture"), [*(("blendshapes", each) for each in POOR), ("mesh478", "on its side"), ("mesh478", "two")]
)
def test_faults_are_named_in_each(
    finders: dict[str, PoseFinder], name: str, picture: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Blend shapes have no place, and a mesh has no names: the landmarks of the same face say what is wrong."""
    image, warning = POOR[picture]
    assert finders[name].in_picture(image).shape == (1, *SHAPES[name])
    (message,) = caplog.messages
    assert warning in message and "\n" not in message


def test_faces_are_counted_from_the_left_in_each(finders: dict[str, PoseFinder]) -> None:
    asleep = cv2.resize(PERSON, (200, 200), interpolation=cv2.INTER_AREA)
    scene = np.full((320, 640, 3), 120, np.uint8)
    scene[60:260, 20:220], scene[10:310, 300:600] = asleep, PERSON
    for name, finder in finders.items():
        first, second = (PoseFinder(finder.detector, finder.representation, face).in_picture(scene) for face in (1, 2))
        largest = finder.in_picture(scene)
        torch.testing.assert_close(second, largest)
        if name != "blendshapes":
            assert first[0, :, 0].mean() < 220 < second[0, :, 0].mean()
        else:
            assert not torch.equal(first, second)


def test_large_pictures_are_reduced_and_weights_stay(finders: dict[str, PoseFinder]) -> None:
    image = np.asarray(Image.open(PORTRAIT).convert("RGB").resize((2048, 2048)))
    (small_pose,) = finders["blendshapes"].in_picture(np.asarray(Image.open(PORTRAIT).convert("RGB")))
    (large_pose,) = finders["blendshapes"].in_picture(image)
    torch.testing.assert_close(small_pose, large_pose, atol=0.1, rtol=0)
    (mesh,) = finders["mesh478"].in_picture(image)
    assert 400 < mesh[:, 0].mean() < 1600


def test_what_a_detector_gives_is_stated() -> None:
    detector = FaceMeshSpec().build(BuildContext(hm.resolve_spec("representation", "blendshapes").build(), 1))
    assert isinstance(detector, hm.SupportsRepresentations)
    assert set(detector.spec.representations) == set(SHAPES)
    with pytest.raises(hm.SpecError, match="landmarks68 or landmarks68-3d or mesh478 or blendshapes"):
        detector.poses_as([], hm.resolve_spec("representation", "keypoints").build())
    with pytest.raises(hm.DetectorError, match="detections of its own"):
        detector.poses_as([hm.Detection(torch.zeros(68, 2), (0, 0, 1, 1))], hm.PipelineSpec().representation.build())
