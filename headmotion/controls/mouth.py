"""The lips and the jaw, around wherever the head is."""

from __future__ import annotations

import torch
from torch import Tensor

from .control import Setting
from .head_pose import Head


class Mouth:
    """What speech moves, and how far the lips are apart. All tensors are float64.

    Raises:
        MotionError: the representation lacks eyes, nose, lips or the opening of the mouth.
    """

    def __init__(self, setting: Setting, control: str) -> None:
        self.head = Head(setting, control)
        points = {*setting.points(control, "lips"), *setting.representation.groups.get("jaw", ())}
        self.moving = sorted(points - set(self.head.held))
        pairs = setting.pairs(control, "mouth")
        self._upper, self._lower = ([pair[side] for pair in pairs] for side in (0, 1))
        self.at_rest = self.opening(torch.zeros_like(self.head.rest))
        """Opening ``[]`` of the reference."""

    def opening(self, expression: Tensor) -> Tensor:
        """Mean distance ``[...]`` from upper to lower lip of expressions ``[..., P, D]``, in the rest pose's units."""
        return self._gaps(expression).mean(dim=-1)

    def scale(self, frames: Tensor, gain: Tensor | float) -> Tensor:
        """Frames ``[T, P, D]`` whose lips and jaw depart ``gain`` (``[T]`` or one number) times as far from rest.

        Lips that would pass through one another meet half way.
        """
        pose = self.head.find(frames)
        expression = self.head.expression(frames, pose)
        more = torch.as_tensor(gain, dtype=frames.dtype).expand(len(frames)) - 1
        change = torch.zeros_like(frames)
        change[:, self.moving] = more[:, None, None] * expression[:, self.moving]
        allowed = self._gaps(expression).clamp(max=0)
        crossed = (allowed - self._gaps(expression + change)).clamp(min=0)[..., None] * self.head.down / 2
        change[:, self._upper] -= crossed
        change[:, self._lower] += crossed
        return self.head.shift(frames, pose, change)

    def _gaps(self, expression: Tensor) -> Tensor:
        places = self.head.rest + expression
        return (places[..., self._lower, :] - places[..., self._upper, :]) @ self.head.down
