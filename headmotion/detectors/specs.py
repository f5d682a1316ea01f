"""Specs of the detectors that come with headmotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, DetectorSpec

if TYPE_CHECKING:
    from ..core.interfaces.detector import Detector
    from ..core.interfaces.representation import Representation


class FaceMeshSpec(DetectorSpec):
    """MediaPipe's Face Landmarker in torch, bundled: the face mesh, 68 landmarks selected from it, or blend shapes."""

    type: Literal["face-mesh"] = "face-mesh"
    representations: ClassVar[tuple[str, ...]] = ("landmarks68", "landmarks68-3d", "mesh478", "blendshapes")
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

        check_representation(self, context.representation, dims=(1, 2, 3))
        return FaceMeshDetector(self, context.representation)


class MediapipeSpec(DetectorSpec):
    """MediaPipe's face mesh, or the 68 landmarks selected from it; 2-D or with depth."""

    type: Literal["mediapipe"] = "mediapipe"
    representations: ClassVar[tuple[str, ...]] = ("landmarks68", "landmarks68-3d", "mesh478")
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

        check_representation(self, context.representation)
        return MediapipeDetector(self, context.representation)


class FaceAlignmentSpec(DetectorSpec):
    """The face-alignment package: S3FD finds faces, a face alignment network their 68 landmarks; 2-D."""

    type: Literal["face-alignment"] = "face-alignment"
    representations: ClassVar[tuple[str, ...]] = ("landmarks68",)
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

        check_representation(self, context.representation, dims=(2,))
        return FaceAlignmentDetector(self)


def check_representation(spec: DetectorSpec, representation: Representation, dims: tuple[int, ...] = (2, 3)) -> None:
    """Refuse a representation that a detector does not give.

    Raises:
        SpecError: it is none of the spec's `representations`, or has other numbers per point than ``dims``.
    """
    if representation.name not in spec.representations or representation.dims not in dims:
        names = " or ".join(spec.representations)
        expected = f"the representation {names} with dims {' or '.join(map(str, dims))}"
        got = f"{representation.name} with dims {representation.dims}"
        raise SpecError(f"detector {spec.type_name()}", expected, got, "use another detector, or pass poses")
