"""Losses that fit any representation, of motion and of pictures."""

from collections.abc import Iterable

from ..core.hookspecs import hookimpl
from ..core.spec import Spec
from .specs import PixelsLossSpec, ReconstructionLossSpec, SpreadLossSpec, SyncLossSpec


@hookimpl
def headmotion_specs() -> Iterable[type[Spec]]:
    """Return the losses that come with headmotion."""
    return [SyncLossSpec, ReconstructionLossSpec, SpreadLossSpec, PixelsLossSpec]
