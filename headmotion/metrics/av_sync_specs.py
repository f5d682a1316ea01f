"""Specs of the metrics of synchrony."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ..core.interfaces.specs import BuildContext, MetricSpec

if TYPE_CHECKING:
    from .av_sync import AVSync


class AVSyncSpec(MetricSpec):
    """Offset and confidence of audio and motion at every level of trained syncers (MS-Sync's AV-Offset and AV-Conf)."""

    type: Literal["av-sync"] = "av-sync"
    syncers: str = "metric-syncers"
    """A file as ``headmotion train metric-syncers`` writes it, or the name of one that is bundled."""
    convention: Literal["valid-pairs", "syncnet"] = "valid-pairs"
    """``valid-pairs`` averages over windows that have a partner, and shifts by at most half the windows of a level.
    ``syncnet`` is SyncNet's published definition: zeros stand for missing audio, and ``reach`` is the same for all."""
    reach: int = Field(15, ge=1, le=1000)
    """Largest shift in windows, ``V``; a window is one frame of its level."""

    def build(self, context: BuildContext) -> AVSync:
        """Make the metric; it brings its own audio encoder.

        Raises:
            CheckpointError: the file of syncers is missing, damaged, or something else.
            SpecError: the syncers were trained on another representation.
        """
        from .av_sync import AVSync

        return AVSync(self, context)
