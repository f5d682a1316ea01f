"""Which channels of a sound are not like the others: the center, which has the speech, and the low frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ChannelLayout:
    """Channels by their purpose."""

    center: int | None = None
    """Index of the center; None if there is none."""
    bass: int | None = None
    """Index of the low-frequency channel; None if there is none."""


USUAL_LAYOUTS = {n: ChannelLayout(2, 3 if n > 5 else None) for n in (3, 5, 6, 7, 8)}
"""By number of channels: front left, front right, center, low frequencies, ... Others have neither."""


def vorbis_layout(channels: int) -> ChannelLayout | None:
    """Return the layout of Vorbis and Opus: left, center, right, ..., low frequencies; None for 1, 2 and 4 channels."""
    if channels not in USUAL_LAYOUTS:
        return None
    return ChannelLayout(1, channels - 1 if channels > 5 else None)


def named_layout(layout: Any) -> ChannelLayout | None:
    """Return center and low frequencies of FFmpeg's layout; None where channels have numbers only."""
    names = [channel.name for channel in layout.channels]
    if "FL" not in names:
        return None
    return ChannelLayout(*(names.index(name) if name in names else None for name in ("FC", "LFE")))
