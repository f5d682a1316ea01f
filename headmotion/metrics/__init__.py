"""Metrics that fit any representation, and those that a face allows."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .sync_specs import AVSyncSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """The metrics that come with headmotion."""
    return [AVSyncSpec]
