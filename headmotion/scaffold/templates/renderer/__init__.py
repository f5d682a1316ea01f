"""A headmotion plugin with a renderer."""

from collections.abc import Iterable

from headmotion import Spec, hookimpl

from .specs import DotsSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """All parts of the plugin; what is not listed here is not found."""
    return [DotsSpec]
