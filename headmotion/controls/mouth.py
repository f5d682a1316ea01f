"""The lips and the jaw, wherever the head is, and how much they move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .control import ControlContext, FrameControl, check_range
from .head_pose import HeadModel


class MouthModel:
    """The points that speech moves, and the opening of the mouth. All tensors are float64.

    Raises:
        MotionError: the representation lacks eyes, nose, lips or the opening of the mouth.
    """

    def __init__(self, context: ControlContext, control: str) -> None:
        self.head = HeadModel(context, control)
        # The ends of the jaw line beside the eyes belong to the skull and do not move with speech.
        lips_and_jaw = {*context.points(control, "lips"), *context.representation.groups.get("jaw", ())}
        self.points = sorted(lips_and_jaw - set(self.head.rigid_points))
        pairs = context.pairs(control, "mouth")
        self._upper, self._lower = ([pair[side] for pair in pairs] for side in (0, 1))
        self.resting_opening = self.opening(torch.zeros_like(self.head.resting_pose))
        """Opening ``[]`` of the reference, in the unit of the frames."""

    def opening(self, expression: Tensor) -> Tensor:
        """Return the mean distance ``[...]`` from the upper to the lower lip, in the unit of the resting pose.

        Args:
            expression: displacements ``[..., P, D]`` of `HeadModel.expression`.
        """
        return self._gaps(expression).mean(dim=-1)

    def scale(self, frames: Tensor, gain: Tensor | float) -> Tensor:
        """Return frames whose lips and jaw are ``gain`` times as far from rest.

        Lips that would pass through one another meet half way.

        Args:
            frames: ``[T, P, D]``.
            gain: ``[T]``, or one number for all frames.
        """
        pose = self.head.fit(frames)
        expression = self.head.expression(frames, pose)
        excess = torch.as_tensor(gain, dtype=frames.dtype).expand(len(frames)) - 1
        # Only differences are added, so that all other points stay the same to the last bit.
        change = torch.zeros_like(frames)
        change[:, self.points] = excess[:, None, None] * expression[:, self.points]
        # Lips that already overlap may stay as they are, but must not overlap further.
        allowed = self._gaps(expression).clamp(max=0)
        overlap = (allowed - self._gaps(expression + change)).clamp(min=0)[..., None] * self.head.down / 2
        change[:, self._upper] -= overlap
        change[:, self._lower] += overlap
        return self.head.add_expression(frames, pose, change)

    def _gaps(self, expression: Tensor) -> Tensor:
        """Return the signed distances ``[..., pairs]`` between the lips, below 0 where they overlap."""
        points = self.head.resting_pose + expression
        return (points[..., self._lower, :] - points[..., self._upper, :]) @ self.head.down


@dataclass(frozen=True)
class ScaleLips(FrameControl):
    """More or less lip and jaw motion, relative to the reference and wherever the head is."""

    gain: float
    """0 leaves the lips as in the reference, 1 changes nothing, 1.2 articulates a fifth more."""

    def __post_init__(self) -> None:
        check_range("scale_lips", "gain", self.gain, 0, 10)

    def make_edit(self, context: ControlContext) -> Callable[[Tensor], Tensor]:
        """Return the edit that scales the lips and the jaw of each frame."""
        mouth = MouthModel(context, "scale_lips")
        return lambda frames: frames if self.gain == 1 else mouth.scale(frames, self.gain)
