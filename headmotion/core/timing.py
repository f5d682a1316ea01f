"""Exact frame rates, frame counts, and resampling of frames by time stamp."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from .errors import MotionError
from .short_repr import short_repr

Rate = Fraction | int | float | str
"""A frame rate as users write it: ``25``, ``29.97``, ``"30000/1001"``, ``Fraction(24000, 1001)``."""


def as_fps(value: Rate) -> Fraction:
    """Return an exact frame rate; decimals near an NTSC rate (29.97, 23.976, 59.94 ...) become ``n * 1000 / 1001``.

    The result is the nearest fraction with a denominator up to a million, because video files cannot store others.

    Raises:
        MotionError: not a number between 0 (exclusive) and 1000 frames per second.
    """
    exact = _parse_fps(str(value))
    if exact is None:
        raise MotionError("frame rate", "a number such as 25, 29.97 or 30000/1001", short_repr(value))
    if not 0 < exact <= 1000:
        raise MotionError("frame rate", "more than 0 and at most 1000 frames per second", short_repr(value))
    return exact


@lru_cache(maxsize=64)  # every motion of a stream has one
def _parse_fps(text: str) -> Fraction | None:
    try:
        # Checked as a float first, because `Fraction` would write out all digits of 1e999999999.
        moderate = "/" in text or 1e-9 < float(text) < 1e9
        exact = Fraction(text if moderate else 0).limit_denominator(1_000_000)
    except (ValueError, ZeroDivisionError):
        return None
    ntsc = Fraction(round(exact) * 1000, 1001)
    return ntsc if exact.denominator != 1 and abs(exact - ntsc) * 5000 < exact else exact


def simplest_fraction(low: Fraction, high: Fraction) -> Fraction:
    """Return the fraction of the smallest denominator in ``low..high``, both above 0 (Stern and Brocot's tree)."""
    ceiling = low.__ceil__()
    if ceiling <= high:
        return Fraction(ceiling)
    floor = low.__floor__()
    return floor + 1 / simplest_fraction(1 / (high - floor), 1 / (low - floor))


def frame_count(duration: Fraction, fps: Fraction) -> int:
    """Count the frames that cover ``duration`` seconds: ``floor(duration * fps + 1/2)``, at least 1 if any."""
    if duration <= 0:
        return 0
    return max(1, (duration * fps + Fraction(1, 2)).__floor__())


class FrameResampler:
    """A stream of frames at one rate to frames at another by time stamp, linear between neighbors.

    Frame ``k`` lies at exactly ``k / fps`` seconds at both rates. The last frame is held for time stamps beyond it. A
    frame is returned only when `frame_count` of the audio is certain to include it.
    """

    def __init__(self, source: Fraction, target: Fraction) -> None:
        self.ratio = source / target
        self._buffer: Tensor | None = None
        self._first = 0
        self._emitted = 0

    @property
    def lookahead(self) -> int:
        """Source frames beyond frame ``floor(k * source / target)`` that target frame ``k`` may wait for."""
        step = Fraction(1, self.ratio.denominator)
        return (1 - step + max(Fraction(0), (self.ratio - 1) / 2)).__ceil__()

    def push(self, frames: Tensor) -> Tensor:
        """Take the next source frames ``[t, ...]`` and return the target frames ``[t', ...]`` that they determine."""
        if self._buffer is not None and not len(frames):
            return self._buffer[:0]
        if self.ratio == 1:
            self._emitted += len(frames)
            self._buffer, self._first = frames[-1:], max(0, self._emitted - 1)
            return frames
        buffer = frames if self._buffer is None else torch.cat([self._buffer, frames])
        self._buffer = buffer
        newest, half = Fraction(self._first + len(buffer) - 1), Fraction(1, 2)
        # Target frame k needs source frame floor(k * ratio) and, unless it falls on it exactly, the next one. At a
        # lower target rate the audio, which may end half a source frame earlier, must also be certain to count frame k.
        ready = min((newest / self.ratio).__floor__() + 1, ((newest + half) / self.ratio + half).__floor__())
        result = self._at(range(self._emitted, max(self._emitted, ready)))
        self._emitted = max(self._emitted, ready)
        needed = (self._emitted * self.ratio).__floor__()
        drop = max(0, min(needed - self._first, len(buffer) - 1))
        self._buffer, self._first = buffer[drop:], self._first + drop
        return result

    def flush(self, total: int) -> Tensor:
        """Return the remaining target frames, so that there are ``total`` of them in all."""
        result = self._at(range(self._emitted, max(total, self._emitted)))
        self._emitted = max(total, self._emitted)
        return result

    def get_state(self) -> Any:
        """Return the position, from which `set_state` of another resampler of the same rates continues."""
        return {"frames": self._buffer, "first": self._first, "emitted": self._emitted}

    def set_state(self, state: Any) -> None:
        """Continue where `get_state` was called."""
        self._buffer, self._first, self._emitted = state["frames"], state["first"], state["emitted"]

    def _at(self, targets: range) -> Tensor:
        if self._buffer is None or (len(targets) and not len(self._buffer)):
            raise MotionError("resampling", "at least one frame", "none")
        if not len(targets):
            return self._buffer[:0]
        # In whole numbers, because floats would drift over hours.
        num, den = self.ratio.numerator, self.ratio.denominator
        k = torch.arange(targets.start, targets.stop, dtype=torch.int64)
        index, weight = k * num // den - self._first, (k * num % den).to(torch.float64) / den
        last = len(self._buffer) - 1
        low, high = self._buffer[index.clamp(max=last)], self._buffer[(index + 1).clamp(max=last)]
        blend = weight.to(low.dtype).view(-1, *[1] * (low.dim() - 1)).to(low.device)
        return torch.where(blend == 0, low, low + (high - low) * blend)


def resample_frames(frames: Tensor, source: Fraction, target: Fraction, total: int) -> Tensor:
    """Resample frames ``[T, ...]`` by time stamp; see `FrameResampler`.

    Args:
        frames: frames at ``source`` frames per second.
        source: their rate.
        target: rate of the result.
        total: number of frames of the result.
    """
    resampler = FrameResampler(source, target)
    return torch.cat([resampler.push(frames), resampler.flush(total)])[:total]
