"""How a pose is found in a picture: MediaPipe's face mesh, or the face-alignment network."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import FaceAlignmentSpec, MediapipeSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """The detectors that come with headmotion."""
    return [MediapipeSpec, FaceAlignmentSpec]
