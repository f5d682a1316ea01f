"""How a pose is found in a picture: MediaPipe's face mesh, or the face-alignment network."""

from collections.abc import Iterable

from ..core.assets import Asset
from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import FaceAlignmentSpec, MediapipeSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """The detectors that come with headmotion."""
    return [MediapipeSpec, FaceAlignmentSpec]


@hookimpl
def headmotion_licenses() -> Iterable[Asset]:
    """The weights that detectors use; none is bundled."""
    trained = "the author offers it so and does not own the training images (300-W, 300-W-LP, AFLW ...)"
    return [
        Asset("s3fd-619a316812.pth", "BSD-3-Clause", "face-alignment (Bulat, Tzimiropoulos 2017)", False, trained),
        Asset(
            "2DFAN4-11f355bf06.pth.tar", "BSD-3-Clause", "face-alignment (Bulat, Tzimiropoulos 2017)", False, trained
        ),
        Asset(
            "face_landmarker.task",
            "Apache-2.0",
            "MediaPipe (Google); the package carries the models up to version 0.10.30",
            bundled=False,
        ),
    ]
