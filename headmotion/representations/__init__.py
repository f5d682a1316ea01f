"""What the numbers of a motion mean: face landmarks, learned keypoints, body joints."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import JointsSpec, KeypointsSpec, Landmarks68Spec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """The representations that come with headmotion."""
    return [Landmarks68Spec, KeypointsSpec, JointsSpec]
