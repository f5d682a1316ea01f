"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import BuildContext, SyncerSpec

if TYPE_CHECKING:
    from .syncer import FlatSyncer


class FlatSyncerSpec(SyncerSpec):
    """Two small networks that treat a window as one long vector."""

    type: Literal["$name/flat"] = "$name/flat"
    window: int = Field(5, ge=2, le=1000)
    """Length of a window (motion frames)."""
    hidden_size: int = Field(64, ge=1, le=4096)
    """Units of the hidden layers."""
    embedding_size: int = Field(32, ge=1, le=4096)
    """Numbers per embedding."""

    def build(self, context: BuildContext) -> FlatSyncer:
        """Build the syncer."""
        from .syncer import FlatSyncer

        return FlatSyncer(self, context)
