"""Nod: a control that moves all points up and down."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headmotion import MotionError
from headmotion.controls import Control, ControlContext


@dataclass(frozen=True)
class Nod(Control):
    """All points, moved by a wave: a value; what a motion needs to remember is in the edit that it starts."""

    reach: float
    hz: float

    def start(self, context: ControlContext) -> NodEdit:
        """Begin with a new motion.

        Raises:
            MotionError: the representation has no y.
        """
        rest = context.resting_pose
        if rest.shape[1] < 2:
            raise MotionError("nod", "a representation of points with x and y", context.representation.name)
        size = float((rest.amax(0) - rest.amin(0)).max())
        return NodEdit(self.reach * size, 2 * math.pi * self.hz / float(context.fps))

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the look-ahead of the frames; the control adds nothing."""
        return frames_ms


class NodEdit:
    """The edit of one motion, which arrives in pieces."""

    def __init__(self, reach: float, step: float) -> None:
        self.reach, self.step, self.frame = reach, step, 0

    def __call__(self, frames: Tensor, speech: npt.NDArray[np.float32], last: bool) -> Tensor:
        """Return the next frames ``[t, P, D]``, moved; the speech is not used."""
        numbers = torch.arange(self.frame, self.frame + len(frames), dtype=frames.dtype)
        self.frame += len(frames)
        moved = frames.clone()
        moved[:, :, 1] += (self.reach * torch.sin(self.step * numbers))[:, None]
        return moved

    def get_state(self) -> int:
        """Return the number of frames so far, for a session that is stored."""
        return self.frame

    def set_state(self, state: int) -> None:
        """Continue with this frame."""
        self.frame = state
