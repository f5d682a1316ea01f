"""Losses that fit any representation."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import ReconstructionLossSpec, SyncLossSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Synchrony and reconstruction."""
    return [SyncLossSpec, ReconstructionLossSpec]
