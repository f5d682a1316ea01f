"""Removal of jitter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from ..media.audio import Wave
from .control import Control, ControlContext, StreamingEdit, check_fields
from .specs import SmoothSpec


@dataclass(frozen=True)
class Smooth(Control):
    """A moving average over time of a motion in any representation, with raised-cosine weights.

    A window of 80 ms halves, at 25 frames per second, what alternates from frame to frame; one of 200 ms or more blurs
    the closing of lips. At the ends the window is cut off, and no frames are added.
    """

    window_ms: float
    """Width of the window at half its height (ms). It reaches as far to either side, and so looks ahead as much."""

    def __post_init__(self) -> None:
        check_fields(self, SmoothSpec)

    def start(self, context: ControlContext) -> StreamingEdit:
        """Begin with a new motion."""
        return _MovingAverage(_half_window(self.window_ms, context.fps))

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the look-ahead of the frames and the window, which is the most that its frames reach ahead."""
        return frames_ms + self.window_ms


def _half_window(window_ms: float, fps: Fraction) -> list[float]:
    """Return the weights at 0, 1, 2 ... frames from the center, as far as they are above 0."""
    window = Fraction(window_ms) / 1000 * fps
    reach = max(0, window.__ceil__() - 1)  # a frame exactly one window away has weight 0
    return [0.5 + 0.5 * math.cos(math.pi * k / float(window)) if k else 1.0 for k in range(reach + 1)]


class _MovingAverage:
    def __init__(self, half_window: list[float]) -> None:
        self._reach = len(half_window) - 1
        self._weights = [half_window[abs(k)] for k in range(-self._reach, self._reach + 1)]
        self._frames: Tensor | None = None
        # 1 for each frame held, 0 for the padding before the first frame and after the last.
        self._valid = torch.zeros(self._reach, dtype=torch.float64)

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        if not self._reach:
            return frames
        if self._frames is None:
            self._frames = frames.new_zeros(self._reach, *frames.shape[1:], dtype=torch.float64)
        padding = self._reach if last else 0
        self._frames = torch.cat([self._frames, frames.double(), self._frames.new_zeros(padding, *frames.shape[1:])])
        self._valid = torch.cat([self._valid, torch.ones(len(frames)).double(), torch.zeros(padding).double()])
        ready = max(0, len(self._valid) - 2 * self._reach)
        total, weight = torch.zeros_like(self._frames[:ready]), torch.zeros_like(self._valid[:ready])
        # A sum in a fixed order gives the same bits for any division into pieces; a convolution need not.
        for k, tap in enumerate(self._weights if ready else ()):
            total += tap * self._frames[k : k + ready]
            weight += tap * self._valid[k : k + ready]
        self._frames, self._valid = self._frames[ready:], self._valid[ready:]
        # Near the ends fewer frames have weight; dividing by their sum cuts the window off.
        return (total / weight[:, None, None]).to(frames.dtype)

    def get_state(self) -> Any:
        """Return the frames that later ones need."""
        return self._frames, self._valid

    def set_state(self, state: Any) -> None:
        """Continue with these frames."""
        self._frames, self._valid = state
