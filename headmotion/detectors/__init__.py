"""Detectors of poses in pictures: MediaPipe's face mesh, bundled or by its own package, and face-alignment."""

from collections.abc import Iterable

from ..core.assets import Asset
from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import FaceAlignmentSpec, FaceMeshSpec, MediapipeSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the detectors that come with headmotion."""
    return [FaceMeshSpec, MediapipeSpec, FaceAlignmentSpec]


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """Return the licenses of the detectors' weights; those of `face-mesh` are bundled."""
    trained = "the author offers it so and does not own the training images (300-W, 300-W-LP, AFLW ...)"
    return [
        Asset(
            "face-landmarker.safetensors",
            "Apache-2.0",
            "MediaPipe Face Landmarker (Google), face_landmarker.task float16 version 1, "
            "converted by tools/convert_face_landmarker.py",
            note="finds faces, 478 points and 52 blend shapes; not made for telling who somebody is, for surveillance "
            "or for decisions about people; model cards: ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker",
        ),
        Asset("s3fd-619a316812.pth", "BSD-3-Clause", "face-alignment (Bulat, Tzimiropoulos 2017)", False, trained),
        Asset(
            "2DFAN4-11f355bf06.pth.tar", "BSD-3-Clause", "face-alignment (Bulat, Tzimiropoulos 2017)", False, trained
        ),
        Asset(
            "face_landmarker.task",
            "Apache-2.0",
            "MediaPipe (Google); the package contains the models up to version 0.10.30",
            bundled=False,
        ),
    ]
