"""Sources of samples, which can be read any number of times, and the errors that they share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.errors import AudioError
from .channel_layout import ChannelLayout

Samples = NDArray[Any]
"""Samples ``[s]`` or ``[s, C]``: floats in -1..1, or integers whose full scale is that of their type."""
MIN_RATE, MAX_RATE = 8_000, 192_000
"""Sample rates (Hz) that can be read and resampled."""
CHUNK = 1 << 16
"""Samples per channel that are decoded at a time."""


class Source(Protocol):
    """Samples that can be read any number of times."""

    @property
    def name(self) -> str:
        """Name in error messages."""

    @property
    def rate(self) -> int:
        """Samples per second (Hz)."""

    @property
    def channels(self) -> int:
        """Number of channels."""

    @property
    def layout(self) -> ChannelLayout | None:
        """Which channels are center and low frequencies; None if the file does not say."""

    @property
    def length(self) -> int:
        """Exact number of samples per channel; some files must be decoded once to count them."""

    @property
    def announced_length(self) -> int | None:
        """Number of samples per channel according to the header; None if only decoding can count them."""

    def chunks(self) -> Iterator[Samples]:
        """Read all samples from the start, a bounded number at a time."""


def check_rate(rate: int, name: str) -> int:
    """Return ``rate``, or raise an `AudioError` if it is not a whole number of Hz within 8 to 192 kHz."""
    if not (isinstance(rate, int | np.integer) and MIN_RATE <= rate <= MAX_RATE):
        raise AudioError(name, "a whole sample rate of 8000 to 192000 Hz", repr(rate), "resample it first")
    return int(rate)


def empty_error(name: str) -> AudioError:
    """Return the error for audio without a sample."""
    return AudioError(name, "at least one sample", "none", "check that the recording completed")


def damaged_error(name: str, got: str) -> AudioError:
    """Return the error for audio that is not whole."""
    return AudioError(name, "a whole audio file", got, "it is cut short or damaged: copy, record or export it again")
