"""The detector `face-mesh`: what Face Landmarker finds, as the representation that is asked for."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...core.errors import DetectorError
from ...core.interfaces.detector import Detector
from ...core.interfaces.representation import Representation
from ...representations.mesh478 import IBUG, Mesh478
from ...representations.specs import Mesh478Spec
from .crops import Points
from .landmarker import FaceLandmarker
from .search import FaceSearch
from .tracker import LandmarkTracker
from .weights import load_networks

if TYPE_CHECKING:
    from ..specs import FaceMeshSpec

LONGEST_EDGE = 1 << 14
"""Larger pictures (px) are thinned out: OpenCV's warping ends at twice that."""

_NAME = "detector face-mesh"


class FaceMeshDetector(Detector):
    """A mesh of 478 points, 68 landmarks out of it, or 52 blend shapes.

    Depth has the scale of x and y, 0 near the head's center, less towards the camera.
    """

    spec: FaceMeshSpec

    def __init__(self, spec: FaceMeshSpec, representation: Representation) -> None:
        super().__init__(spec)
        self._representation = representation

    @cached_property
    def _landmarker(self) -> FaceLandmarker:
        mirror = Mesh478(Mesh478Spec()).mirror
        return FaceLandmarker(load_networks(_device(self.spec.device)), mirror, self.spec.min_confidence)

    @cached_property
    def _search(self) -> FaceSearch:
        return FaceSearch(self._landmarker, several=self.spec.max_faces > 1)

    def detect(self, image: npt.NDArray[np.uint8]) -> Tensor:
        """Return all faces ``[N, P, D]`` of a picture ``uint8 [H, W, 3]``, the largest first.

        Raises:
            DetectorError: no face was found; not such a picture; or the bundled weights are damaged.
        """
        factor = math.ceil(max(_checked(image).shape) / LONGEST_EDGE)
        faces = self._search(np.ascontiguousarray(image[::factor, ::factor]))
        if not faces:
            remedy = "take or cut a picture in which the face is larger and turned to the camera"
            raise DetectorError(_NAME, "a face in the picture", "none", remedy)
        return self._values(np.stack(faces[: self.spec.max_faces]) * np.float32(factor))

    def tracker(self) -> MeshTracker:
        """Return a tracker for the frames of one video."""
        return MeshTracker(self)

    def _values(self, meshes: Points) -> Tensor:
        """Return meshes ``[N, 478, 3]`` as poses ``[N, P, D]``."""
        if self._representation.name == "blendshapes":
            return self._landmarker.blendshapes(meshes).unsqueeze(-1)
        picked = meshes[:, list(IBUG)] if self._representation.points == len(IBUG) else meshes
        return torch.from_numpy(picked[..., : self._representation.dims].copy())


class MeshTracker:
    """Poses of one video, frame by frame."""

    def __init__(self, detector: FaceMeshDetector) -> None:
        self._detector = detector
        self._faces = LandmarkTracker(detector._landmarker, detector._search)

    def push(self, image: npt.NDArray[np.uint8]) -> Tensor:
        """Return all faces ``[N, P, D]`` of the next frame ``uint8 [H, W, 3]``, the largest first; N may be 0.

        Raises:
            DetectorError: not such a picture.
        """
        faces = self._faces.push(np.ascontiguousarray(_checked(image)))[: self._detector.spec.max_faces]
        return self._detector._values(np.stack(faces) if faces else np.zeros((0, 478, 3), np.float32))

    def restart(self) -> None:
        """Forget all faces: the next frame does not follow the last one (after a cut, or another video)."""
        self._faces.restart()


def _checked(image: Any) -> npt.NDArray[np.uint8]:
    picture = np.asarray(image)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        got = f"{picture.dtype} {list(picture.shape)}"
        raise DetectorError(_NAME, "a picture uint8 [H, W, 3] of at least one pixel", got)
    return picture


def _device(name: str) -> torch.device:
    chosen = name if name != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise DetectorError(_NAME, "auto, or a device of this machine (cpu, cuda, mps)", repr(chosen)) from None
    return torch.device(chosen)
