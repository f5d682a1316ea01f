"""How motion becomes pictures: drawn as a skeleton, or by warping a still portrait."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import PortraitSpec, SkeletonSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """The renderers that come with headmotion."""
    return [SkeletonSpec, PortraitSpec]
