"""Blinks at random times."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ..geometry.smoothstep import smoothstep
from ..media.audio import Wave
from .control import Control, ControlContext, StreamingEdit, check_fields
from .lids import LidEdit, lid_edit
from .specs import BlinkSpec

CLOSING_S, CLOSED_S, OPENING_S = 0.09, 0.05, 0.17
"""Durations of the parts of a blink (s). Eyes that are closed for 50 ms are closed in a frame at 20 fps or more."""
BLINK_S = CLOSING_S + CLOSED_S + OPENING_S
MIN_INTERVAL = 0.4
"""Share of the mean interval that always separates two blinks; the remainder is exponentially distributed."""


@dataclass(frozen=True)
class Blink(Control):
    """Blinks added to any motion of the lids: upper lids move to lower lids, wherever the head is, or weights to 1."""

    rate: float
    """Blinks per minute on average, 0 to 60; people at rest blink about 12 to 20 times."""
    seed: int = 0
    """Seed of the times, which depend on nothing else."""

    def __post_init__(self) -> None:
        check_fields(self, BlinkSpec)

    def start(self, context: ControlContext) -> StreamingEdit:
        """Begin with a new motion.

        Raises:
            MotionError: a representation without lids.
        """
        return _BlinkEdit(self, context, lid_edit(context, "blink"))

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the look-ahead of the frames; the control adds nothing."""
        return frames_ms


def blink_times(rate: float, seed: int) -> Iterator[float]:
    """Yield the times (s) at which blinks begin, without end; blinks never overlap.

    Args:
        rate: blinks per minute on average, above 0.
        seed: of the random numbers.
    """
    rng, mean_interval = random.Random(seed), 60 / rate
    # A random first time: otherwise all motions of a rate would first blink at the same moment.
    time = mean_interval * rng.random()
    while True:
        yield time
        time += mean_interval * (MIN_INTERVAL + (1 - MIN_INTERVAL) * rng.expovariate(1))


def closure(elapsed: float) -> float:
    """Return how far the eyes are closed, 0 to 1, at a time (s) since a blink began."""
    if not 0 < elapsed < BLINK_S:
        return 0.0
    return smoothstep(min(elapsed / CLOSING_S, (BLINK_S - elapsed) / OPENING_S))


class _BlinkEdit:
    def __init__(self, blink: Blink, context: ControlContext, close: LidEdit) -> None:
        self._close = close
        self._fps, self._frame = context.fps, 0
        self._times = pairwise(blink_times(blink.rate, blink.seed)) if blink.rate else None
        self._current, self._next = next(self._times) if self._times else (0.0, 0.0)

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        if self._times is None or not len(frames):
            return frames
        # By exact time stamps, so that the division into pieces and the frame rate have no influence.
        amounts = [self._closure(float((self._frame + k) / self._fps)) for k in range(len(frames))]
        self._frame += len(frames)
        return self._close(frames, torch.tensor(amounts, dtype=frames.dtype))

    def get_state(self) -> int:
        """Return the number of frames so far, from which the blinks follow."""
        return self._frame

    def set_state(self, state: int) -> None:
        """Continue with this frame."""
        self._frame = state

    def _closure(self, time: float) -> float:
        """Return how far the eyes are closed, 0 to 1, at a time (s) not before that of the last call."""
        while self._times and time >= self._next:
            self._current, self._next = next(self._times)
        return closure(time - self._current)
