"""Renderers, which turn motion into pictures: a drawn skeleton, or a warped still portrait."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import PortraitSpec, SkeletonSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the renderers that come with headmotion."""
    return [SkeletonSpec, PortraitSpec]
