"""The lips and the jaw, wherever the head is, and how much they move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..geometry.smoothstep import smoothstep
from .control import ControlContext, FrameControl, check_fields
from .head_pose import HeadModel
from .specs import ScaleLipsSpec

JAW_SHARE = 0.6
"""How far the chin follows the lower lip."""


class MouthModel:
    """The points that speech moves, and the opening of the mouth. All tensors are float64.

    Raises:
        MotionError: the representation lacks eyes, nose, lips or the opening of the mouth.
    """

    def __init__(self, context: ControlContext, control: str) -> None:
        self.head = HeadModel(context, control)
        # The ends of the jaw line next to the eyes belong to the skull and do not move with speech.
        lips_and_jaw = {*context.points(control, "lips"), *context.representation.groups.get("jaw", ())}
        self.points = sorted(lips_and_jaw - set(self.head.rigid_points))
        lips = context.points(control, "lips")
        self._jaw = [point for point in self.points if point not in lips]
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
        return self.head.add_expression(frames, pose, self._without_overlap(expression, change))

    def open(self, frames: Tensor, change: Tensor) -> Tensor:
        """Return frames whose mouths are open further, or less far; lips that meet stay together.

        The lower lip moves, the chin and the corners of the mouth follow it in part.

        Args:
            frames: ``[T, P, D]``.
            change: of the opening ``[T]``, in the unit of the resting pose.
        """
        pose = self.head.fit(frames)
        expression = self.head.expression(frames, pose)
        change = torch.maximum(change, -self.opening(expression).clamp(min=0))
        shift = change[:, None, None] * self._following[:, None] * self.head.down
        return self.head.add_expression(frames, pose, self._without_overlap(expression, shift))

    @property
    def _following(self) -> Tensor:
        """How far each point ``[P]`` follows the lower lip, as jawOpen of `blendshape_landmarks` moves it."""
        down = self.head.resting_pose @ self.head.down
        parting = (down[self._upper].mean() + down[self._lower].mean()) / 2
        lips = [point for point in self.points if point not in self._jaw]
        thickness = (down[lips].max() - parting).clamp(min=1e-9)
        share = torch.zeros_like(down)
        # 0.35 at the corners, 0 at the upper lip, 1 at the lower edge of the lower one.
        share[lips] = smoothstep(0.35 + 0.65 * (down[lips] - parting) / thickness)
        share[self._upper], share[self._lower] = 0.0, 1.0
        if self._jaw:
            eyes = down[self.head.skull].mean()
            share[self._jaw] = JAW_SHARE * smoothstep((down[self._jaw] - eyes) / (parting - eyes))
        return share

    def _without_overlap(self, expression: Tensor, change: Tensor) -> Tensor:
        """Return a change of the expression, less what would let lips pass through one another."""
        # Lips that already overlap may stay as they are, but must not overlap further.
        allowed = self._gaps(expression).clamp(max=0)
        overlap = (allowed - self._gaps(expression + change)).clamp(min=0)[..., None] * self.head.down / 2
        change[:, self._upper] -= overlap
        change[:, self._lower] += overlap
        return change

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
        check_fields(self, ScaleLipsSpec)

    def make_edit(self, context: ControlContext) -> Callable[[Tensor], Tensor]:
        """Return the edit that scales the lips and the jaw of each frame."""
        mouth = MouthModel(context, "scale_lips")
        return lambda frames: frames if self.gain == 1 else mouth.scale(frames, self.gain)
