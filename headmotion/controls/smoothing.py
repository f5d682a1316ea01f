"""Jitter removed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from ..media.audio import Wave
from .control import Control, Setting, Step, in_range


@dataclass(frozen=True)
class Smooth(Control):
    """A moving average of every number of the motion, of any representation, with raised-cosine weights.

    A window of 80 ms halves at 25 frames per second whatever alternates from frame to frame, and more; one of 200 ms
    or more blurs the closing of lips. At the ends the window is cut off, never filled.
    """

    window_ms: float
    """Width of the window at half its height (ms); it reaches as far to either side, and so looks ahead as much."""

    def __post_init__(self) -> None:
        in_range("smooth", "window_ms", self.window_ms, 0, 10_000)

    def start(self, setting: Setting) -> Step:
        """Begin with a new motion."""
        return _Average(_weights(self.window_ms, setting.fps))

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """The window, at most: the frames that it covers beyond each frame."""
        return frames_ms + self.window_ms


def _weights(window_ms: float, fps: Fraction) -> list[float]:
    """Weights of the frames 0, 1, 2 ... away, as long as they are above 0."""
    window = Fraction(window_ms) / 1000 * fps
    reach = max(0, window.__ceil__() - 1)
    return [0.5 + 0.5 * math.cos(math.pi * k / float(window)) if k else 1.0 for k in range(reach + 1)]


class _Average:
    def __init__(self, weights: list[float]) -> None:
        self._reach = len(weights) - 1
        self._weights = [weights[abs(k)] for k in range(-self._reach, self._reach + 1)]
        self._frames: Tensor | None = None
        self._there = torch.zeros(self._reach, dtype=torch.float64)  # 1 for each frame kept, 0 before the first

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        if not self._reach:
            return frames
        if self._frames is None:
            self._frames = frames.new_zeros(self._reach, *frames.shape[1:], dtype=torch.float64)
        after = self._reach if last else 0
        self._frames = torch.cat([self._frames, frames.double(), self._frames.new_zeros(after, *frames.shape[1:])])
        self._there = torch.cat([self._there, torch.ones(len(frames)).double(), torch.zeros(after).double()])
        ready = max(0, len(self._there) - 2 * self._reach)
        total, weight = torch.zeros_like(self._frames[:ready]), torch.zeros_like(self._there[:ready])
        for k, tap in enumerate(self._weights if ready else ()):
            total += tap * self._frames[k : k + ready]
            weight += tap * self._there[k : k + ready]
        self._frames, self._there = self._frames[ready:], self._there[ready:]
        return (total / weight[:, None, None]).to(frames.dtype)
