"""A headmotion plugin with a metric."""

from collections.abc import Iterable

from headmotion import Spec, hookimpl

from .specs import SpeedSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """All parts of the plugin; what is not listed here is not found."""
    return [SpeedSpec]
