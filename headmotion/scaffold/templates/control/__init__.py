"""A headmotion plugin with a control."""

from collections.abc import Iterable

from headmotion import Spec, hookimpl

from .specs import NodSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return all parts of the plugin; a part that is not listed here is not found."""
    return [NodSpec]
