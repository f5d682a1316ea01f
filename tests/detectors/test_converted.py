"""Detectors for representations that converters make of what they give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.detectors.converted import build_detector
from headmotion.detectors.detection_points import DetectionPoints

MESH, FACE, SHAPES = (
    hm.resolve_spec("representation", name).build() for name in ("mesh478", "landmarks68", "blendshapes")
)
PICTURE = np.zeros((8, 8, 3), np.uint8)


class Meshes(hm.Detector):
    """Finds one neutral mesh in any picture, and two of them in a video."""

    label_names = ("age",)

    def detect(self, images: Sequence[np.ndarray]) -> list[list[hm.Detection]]:
        return [[hm.Detection(MESH.neutral(), (0, 0, 8, 8), 0.7)] for _ in images]

    def labels(self, detections: Sequence[hm.Detection]) -> torch.Tensor:
        return torch.full((len(detections), 1), 40.0)

    def poses_as(self, detections: Sequence[hm.Detection], representation: hm.Representation) -> torch.Tensor:
        return torch.stack([MESH.neutral()[:68, : representation.dims]] * len(detections))

    def tracker(self) -> Meshes:
        return self

    def push(self, image: np.ndarray) -> list[hm.Detection]:
        return 2 * self.detect([image])[0]

    def restart(self) -> None:
        raise StopIteration


class MeshesSpec(hm.DetectorSpec):
    """Meshes only."""

    representations: ClassVar[tuple[str, ...]] = ("mesh478", "landmarks68-3d")
    type: Literal["meshes"] = "meshes"

    def build(self, context: hm.BuildContext) -> hm.Detector:
        """Build the detector."""
        if context.representation.name != "mesh478":
            raise hm.SpecError("meshes", "mesh478", context.representation.name)
        return Meshes(self)


def test_a_representation_that_is_given_is_not_converted() -> None:
    assert isinstance(build_detector(MeshesSpec(), hm.BuildContext(MESH, 0)), Meshes)


def test_poses_are_converted_and_everything_else_stays() -> None:
    detector = build_detector(MeshesSpec(), hm.BuildContext(FACE, 0))
    ((found,),) = detector.detect([PICTURE])
    expected = hm.Motion(MESH.neutral()[None], 25, {"type": "mesh478"}).to("landmarks68").values[0]
    assert torch.equal(found.pose, expected) and (found.box, found.score) == ((0, 0, 8, 8), 0.7)
    assert isinstance(detector, hm.SupportsTracking) and isinstance(detector, hm.SupportsLabels)
    tracker = detector.tracker()
    assert [each.pose.shape for each in tracker.push(PICTURE)] == [(68, 2), (68, 2)]
    with pytest.raises(StopIteration):
        tracker.restart()
    assert detector.labels([found]).tolist() == [[40.0]]
    points = DetectionPoints.of(detector, FACE, landmarks=True)
    assert points is not None and points([found]).shape == (1, 68, 3)


def test_a_converter_that_compares_frames_is_of_no_use_for_a_picture() -> None:
    with pytest.raises(hm.SpecError, match="expected mesh478, got blendshapes"):
        build_detector(MeshesSpec(), hm.BuildContext(SHAPES, 0))
