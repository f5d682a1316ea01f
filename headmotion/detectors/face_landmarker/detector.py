"""The detector `face-mesh`: what Face Landmarker finds, as the representation that is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...core.device import pick_device
from ...core.errors import DetectorError
from ...core.interfaces.detector import Detection, Detector, box_of
from ...core.interfaces.renderer import Picture
from ...core.interfaces.representation import Representation
from ...representations.blendshapes import NAMES
from ...representations.mesh478 import IBUG, Mesh478
from ...representations.specs import Mesh478Spec
from ..specs import check_representation
from .landmarker import Face, FaceLandmarker
from .search import FaceSearch, run_together
from .tracker import LandmarkTracker
from .weights import shared_networks

if TYPE_CHECKING:
    from ..specs import FaceMeshSpec

LONGEST_EDGE = 1 << 14
"""Larger pictures (px) are thinned out: OpenCV's warping ends at twice that."""

_NAME = "detector face-mesh"


@dataclass(frozen=True, eq=False)
class MeshDetection(Detection):
    """A face with its whole mesh, from which its blend shapes follow."""

    mesh: Tensor | None = None
    """Points ``[478, 3]`` in pixels."""


class FaceMeshDetector(Detector):
    """A mesh of 478 points, 68 landmarks out of it, or 52 blend shapes, which are also its labels.

    Depth has the scale of x and y, 0 near the head's center, less towards the camera.
    """

    spec: FaceMeshSpec
    label_names: tuple[str, ...] = NAMES
    """Names of ARKit's 52 blend shapes."""

    def __init__(self, spec: FaceMeshSpec, representation: Representation) -> None:
        super().__init__(spec)
        self._representation = representation
        self._search = FaceSearch(spec.min_confidence, several=spec.max_faces > 1)

    @cached_property
    def _landmarker(self) -> FaceLandmarker:
        mirror = Mesh478(Mesh478Spec()).mirror
        device = pick_device(self.spec.device, _NAME, DetectorError, usable=("cuda",))
        return FaceLandmarker(shared_networks(device), mirror, self.spec.min_confidence)

    @cached_property
    def _video_landmarker(self) -> FaceLandmarker:
        return self._landmarker.compiled()

    def detect(self, images: Sequence[Picture]) -> list[list[Detection]]:
        """Return the faces in each of some pictures ``uint8 [H, W, 3]``, the largest first; perhaps none.

        The pictures are searched together: each network is called for all of them at once.

        Raises:
            DetectorError: not such a picture; or the bundled weights are damaged.
        """
        factors = [math.ceil(max(_checked(image).shape) / LONGEST_EDGE) for image in images]
        pictures = [np.ascontiguousarray(image[::n, ::n]) for image, n in zip(images, factors, strict=True)]
        searches = [(picture, self._search.search(picture)) for picture in pictures]
        faces_by_picture = run_together(self._landmarker, searches)
        return [self._detections(faces, factor) for faces, factor in zip(faces_by_picture, factors, strict=True)]

    def labels(self, detections: Sequence[Detection]) -> Tensor:
        """Return the blend shapes ``[n, 52]``, 0..1, of faces that this detector found."""
        return self._blendshapes(_meshes(detections))

    def poses_as(self, detections: Sequence[Detection], representation: Representation) -> Tensor:
        """Return faces that this detector found as poses ``[n, P, D]`` of another representation.

        Raises:
            SpecError: a representation that the detector does not give.
        """
        check_representation(self.spec, representation, dims=(1, 2, 3))
        if not detections:
            return torch.zeros(0, representation.points, representation.dims)
        return torch.stack(self._poses(_meshes(detections), representation))

    def tracker(self) -> MeshTracker:
        """Return a tracker for the frames of one video."""
        return MeshTracker(self)

    def _detections(self, faces: Sequence[Face], factor: int = 1) -> list[Detection]:
        """Return the largest faces of a picture that was reduced by a factor."""
        chosen = faces[: self.spec.max_faces]
        meshes = [torch.from_numpy(face.points * np.float32(factor)) for face in chosen]
        return [
            MeshDetection(pose, box_of(mesh), face.score, mesh)
            for pose, mesh, face in zip(self._poses(meshes, self._representation), meshes, chosen, strict=True)
        ]

    def _poses(self, meshes: Sequence[Tensor], representation: Representation) -> list[Tensor]:
        """Return meshes ``[478, 3]`` as poses ``[P, D]``."""
        if representation.name == "blendshapes":
            return list(self._blendshapes(meshes).unsqueeze(-1))
        picked = list(IBUG) if representation.points == len(IBUG) else slice(None)
        return [mesh[picked, : representation.dims].clone() for mesh in meshes]

    def _blendshapes(self, meshes: Sequence[Tensor]) -> Tensor:
        if not meshes:
            return torch.zeros(0, len(NAMES))
        return self._landmarker.blendshapes(torch.stack(list(meshes)))


class MeshTracker:
    """Detections in one video, frame by frame."""

    def __init__(self, detector: FaceMeshDetector) -> None:
        self._detector = detector
        self._faces = LandmarkTracker(detector._video_landmarker, detector._search)

    def push(self, image: Picture) -> list[Detection]:
        """Return the faces of the next frame ``uint8 [H, W, 3]``, the largest first; perhaps none.

        Raises:
            DetectorError: not such a picture.
        """
        return self._detector._detections(self._faces.push(np.ascontiguousarray(_checked(image))))

    def restart(self) -> None:
        """Forget all faces: the next frame does not follow the last one (after a cut, or another video)."""
        self._faces.restart()


def _meshes(detections: Sequence[Detection]) -> list[Tensor]:
    meshes = [detection.mesh for detection in detections if isinstance(detection, MeshDetection)]
    if len(meshes) != len(detections):
        raise DetectorError(_NAME, "detections of its own", "those of another detector")
    return [mesh for mesh in meshes if mesh is not None]


def _checked(image: Any) -> npt.NDArray[np.uint8]:
    picture = np.asarray(image)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        got = f"{picture.dtype} {list(picture.shape)}"
        raise DetectorError(_NAME, "a picture uint8 [H, W, 3] of at least one pixel", got)
    return picture
