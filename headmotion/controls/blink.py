"""Blinks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ..core.errors import MotionError
from ..geometry.smoothstep import smoothstep
from ..media.audio import Wave
from .control import Control, Setting, Step, in_range

CLOSING, CLOSED, OPENING = 0.09, 0.05, 0.17
"""Seconds of each part of a blink; a blink that is shut for 50 ms is seen shut at 20 frames per second and more."""
BLINK = CLOSING + CLOSED + OPENING
SHUT = 0.95
"""How much of the way to the lower lid the upper lid goes; a hair's breadth keeps the outline of the eye."""
EVEN = 0.4
"""Part of the mean interval that always passes between two blinks; the rest is chance (exponential)."""


@dataclass(frozen=True)
class Blink(Control):
    """Blinks added to whatever the lids do: the upper lids go down to the lower ones, wherever the head is."""

    rate: float
    """Blinks per minute on average, 0 to 60; people at rest blink about 12 to 20 times."""
    seed: int = 0
    """The only source of chance."""

    def __post_init__(self) -> None:
        in_range("blink", "rate", self.rate, 0, 60)

    def start(self, setting: Setting) -> Step:
        """Begin with a new motion."""
        eyes = [name for name in setting.representation.openings if name.endswith("eye")]
        if not eyes:
            known = ", ".join(setting.representation.openings) or "none"
            got = f"{setting.representation.name} with {known}"
            raise MotionError("blink", "a representation with the openings 'left_eye' and 'right_eye'", got)
        return _Blinking(self, setting, setting.pairs("blink", *eyes))

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Nothing is waited for."""
        return frames_ms


def blink_times(rate: float, seed: int) -> Iterator[float]:
    """Seconds at which blinks begin, without end; at ``rate`` per minute, never one during another."""
    chance, mean = random.Random(seed), 60 / rate
    now = mean * chance.random()
    while True:
        yield now
        now += mean * (EVEN + (1 - EVEN) * chance.expovariate(1))


class _Blinking:
    def __init__(self, blink: Blink, setting: Setting, pairs: tuple[tuple[int, int], ...]) -> None:
        self._upper, self._lower = ([pair[side] for pair in pairs] for side in (0, 1))
        self._fps, self._frame = setting.fps, 0
        self._coming = pairwise(blink_times(blink.rate, blink.seed)) if blink.rate else None
        self._begun, self._next = next(self._coming) if self._coming else (0.0, 0.0)

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        if self._coming is None or not len(frames):
            return frames
        shut = [self._shut(float((self._frame + k) / self._fps)) for k in range(len(frames))]
        self._frame += len(frames)
        amount = torch.tensor(shut, dtype=frames.dtype)[:, None, None]
        frames = frames.clone()
        frames[:, self._upper] += amount * (frames[:, self._lower] - frames[:, self._upper])
        return frames

    def _shut(self, now: float) -> float:
        """0 open to `SHUT`."""
        while self._coming and now >= self._next:
            self._begun, self._next = next(self._coming)
        t = now - self._begun
        if not 0 < t < BLINK:
            return 0.0
        part = min(1.0, t / CLOSING, (BLINK - t) / OPENING)
        return SHUT * float(smoothstep(part))
