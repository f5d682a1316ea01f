"""Specs of the detectors that come with headmotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, DetectorSpec

if TYPE_CHECKING:
    from ..core.interfaces.detector import Detector


class FaceMeshSpec(DetectorSpec):
    """MediaPipe's Face Landmarker in torch, bundled: the face mesh, 68 landmarks picked from it, or blend shapes."""

    type: Literal["face-mesh"] = "face-mesh"
    min_confidence: float = Field(0.5, gt=0, lt=1)
    """Least confidence with which a face counts as one."""
    max_faces: int = Field(8, ge=1, le=64)
    """Most faces of a picture; 1 also ends the search, sooner, at the first."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "cpu"
    """Where the networks compute. They are small: for one face at a time a GPU is not faster."""

    def build(self, context: BuildContext) -> Detector:
        """Make the detector; its weights are read at the first picture.

        Raises:
            SpecError: the representation is neither `landmarks68`, `landmarks68-3d`, `mesh478` nor `blendshapes`.
        """
        from .face_landmarker.detector import FaceMeshDetector

        names = ("landmarks68", "landmarks68-3d", "mesh478", "blendshapes")
        _check_representation(self, context, *names, dims=(1, 2, 3))
        return FaceMeshDetector(self, context.representation)


class MediapipeSpec(DetectorSpec):
    """MediaPipe's face mesh, or the 68 landmarks picked from it; 2-D or with depth."""

    type: Literal["mediapipe"] = "mediapipe"
    model: str | None = None
    """Path of a ``face_landmarker.task`` file; None takes the models that mediapipe carries up to version 0.10.30."""
    min_confidence: float = Field(0.5, gt=0, le=1)
    """Least confidence with which a face counts as one."""
    max_faces: int = Field(8, ge=1, le=64)
    """Most faces that one look at the picture or a part of it finds; 1 also ends the search, sooner, at the first."""

    def build(self, context: BuildContext) -> Detector:
        """Make the detector; mediapipe and its models are loaded at the first picture.

        Raises:
            SpecError: the representation is neither `landmarks68`, `landmarks68-3d` nor `mesh478`.
        """
        from .mediapipe import MediapipeDetector

        _check_representation(self, context, "landmarks68", "landmarks68-3d", "mesh478")
        return MediapipeDetector(self, context.representation)


class FaceAlignmentSpec(DetectorSpec):
    """The face-alignment package: S3FD finds faces, a face alignment network their 68 landmarks; 2-D."""

    type: Literal["face-alignment"] = "face-alignment"
    face_weights: str | None = None
    """Path of ``s3fd-619a316812.pth``; None looks in torch hub's folder ``checkpoints``."""
    landmark_weights: str | None = None
    """Path of ``2DFAN4-11f355bf06.pth.tar``; None looks in torch hub's folder ``checkpoints``."""
    fetch: bool = False
    """Whether weights that are missing there are fetched from the package's host (about 185 MB, once)."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the networks compute; ``auto`` takes CUDA if there is, else the CPU."""

    def build(self, context: BuildContext) -> Detector:
        """Make the detector; face-alignment and its weights are loaded, or fetched, at the first picture.

        Raises:
            SpecError: the representation is not 2-D `landmarks68`.
        """
        from .face_alignment import FaceAlignmentDetector

        _check_representation(self, context, "landmarks68", dims=(2,))
        return FaceAlignmentDetector(self)


def _check_representation(
    spec: DetectorSpec, context: BuildContext, *names: str, dims: tuple[int, ...] = (2, 3)
) -> None:
    given = context.representation
    if given.name not in names or given.dims not in dims:
        wanted = f"the representation {' or '.join(names)} with dims {' or '.join(map(str, dims))}"
        got = f"{given.name} with dims {given.dims}"
        raise SpecError(f"detector {spec.type_name()}", wanted, got, "use another detector, or pass poses")
