"""Specs of the detectors that come with headmotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, DetectorSpec

if TYPE_CHECKING:
    from ..core.interfaces.detector import Detector


class FaceMeshSpec(DetectorSpec):
    """MediaPipe's Face Landmarker in torch, bundled: the face mesh, 68 landmarks selected from it, or blend shapes."""

    type: Literal["face-mesh"] = "face-mesh"
    min_confidence: float = Field(0.5, gt=0, lt=1)
    """Confidence above which a detection is a face."""
    max_faces: int = Field(8, ge=1, le=64)
    """Maximum number of faces in a picture; 1 also ends the search at the first face, which takes less time."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "cpu"
    """Device of the networks. They are small: for one face at a time a GPU is not faster."""

    def build(self, context: BuildContext) -> Detector:
        """Build the detector, which reads its weights at the first picture.

        Raises:
            SpecError: the representation is neither `landmarks68`, `landmarks68-3d`, `mesh478` nor `blendshapes`.
        """
        from .face_landmarker.detector import FaceMeshDetector

        names = ("landmarks68", "landmarks68-3d", "mesh478", "blendshapes")
        _check_representation(self, context, *names, dims=(1, 2, 3))
        return FaceMeshDetector(self, context.representation)


class MediapipeSpec(DetectorSpec):
    """MediaPipe's face mesh, or the 68 landmarks selected from it; 2-D or with depth."""

    type: Literal["mediapipe"] = "mediapipe"
    model: str | None = None
    """Path of a ``face_landmarker.task`` file; None uses the models that mediapipe contains up to version 0.10.30."""
    min_confidence: float = Field(0.5, gt=0, le=1)
    """Confidence above which a detection is a face."""
    max_faces: int = Field(8, ge=1, le=64)
    """Maximum number of faces in the picture or a tile of it; 1 also ends the search at the first face."""

    def build(self, context: BuildContext) -> Detector:
        """Build the detector, which loads mediapipe and its models at the first picture.

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
    """Path of ``s3fd-619a316812.pth``; None: the file in torch hub's folder ``checkpoints``."""
    landmark_weights: str | None = None
    """Path of ``2DFAN4-11f355bf06.pth.tar``; None: the file in torch hub's folder ``checkpoints``."""
    fetch: bool = False
    """Whether to download weights that are missing there from the package's host (about 185 MB, once)."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Device of the networks; ``auto``: CUDA if it is available, else the CPU."""

    def build(self, context: BuildContext) -> Detector:
        """Build the detector, which loads or downloads face-alignment's weights at the first picture.

        Raises:
            SpecError: the representation is not 2-D `landmarks68`.
        """
        from .face_alignment import FaceAlignmentDetector

        _check_representation(self, context, "landmarks68", dims=(2,))
        return FaceAlignmentDetector(self)


def _check_representation(
    spec: DetectorSpec, context: BuildContext, *names: str, dims: tuple[int, ...] = (2, 3)
) -> None:
    representation = context.representation
    if representation.name not in names or representation.dims not in dims:
        expected = f"the representation {' or '.join(names)} with dims {' or '.join(map(str, dims))}"
        got = f"{representation.name} with dims {representation.dims}"
        raise SpecError(f"detector {spec.type_name()}", expected, got, "use another detector, or pass poses")
