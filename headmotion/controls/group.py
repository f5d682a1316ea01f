"""How much one group of points moves, or one named point such as a blend shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.errors import MotionError, SpecError, did_you_mean
from ..core.short_repr import short_repr
from .control import ControlContext, FrameControl, check_fields
from .head_pose import HeadModel
from .specs import ScaleGroupSpec


@dataclass(frozen=True)
class ScaleGroup(FrameControl):
    """More or less motion of one group or point, relative to the reference and wherever the head is.

    Weights, such as those of blend shapes, can be moved and limited too.
    """

    group: str
    """Name of a group or of one point of the representation, such as ``brows`` or ``jawOpen``."""
    gain: float = 1.0
    """0 leaves the points as in the reference, 1 changes nothing."""
    offset: float = 0.0
    """Added to weights after the gain."""
    low: float | None = None
    """Smallest weight that is left; None: any."""
    high: float | None = None
    """Largest weight that is left; None: any."""

    def __post_init__(self) -> None:
        check_fields(self, ScaleGroupSpec)
        if self.low is not None and self.high is not None and self.low > self.high:
            raise SpecError("scale_group", "low of at most high", f"{self.low:g} and {self.high:g}")

    def make_edit(self, context: ControlContext) -> Callable[[Tensor], Tensor]:
        """Return the edit that scales the points of each frame.

        Raises:
            MotionError: no such group or point, or an offset or limits of points that are no weights.
        """
        rows, representation = self._rows(context), context.representation
        if representation.dims == 1:
            return self._weights_edit(context.resting_pose.double(), rows)
        if (self.offset, self.low, self.high) != (0.0, None, None):
            got = f"{representation.name} with {representation.dims} numbers per point"
            raise MotionError("scale_group", "weights, for an offset or limits", got, "give the gain only")
        head = HeadModel(context, "scale_group")

        def edit(frames: Tensor) -> Tensor:
            pose = head.fit(frames)
            # Only differences are added, so that all other points stay the same to the last bit.
            change = torch.zeros_like(frames)
            change[:, rows] = (self.gain - 1) * head.expression(frames, pose)[:, rows]
            return head.add_expression(frames, pose, change)

        return edit if self.gain != 1 else _unchanged

    def _weights_edit(self, resting_weights: Tensor, rows: list[int]) -> Callable[[Tensor], Tensor]:
        low, high = -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high

        def edit(frames: Tensor) -> Tensor:
            frames = frames.clone()  # the caller's frames stay as they are
            scaled = frames[:, rows] + (self.gain - 1) * (frames[:, rows] - resting_weights[rows]) + self.offset
            frames[:, rows] = scaled.clamp(low, high)
            return frames

        return edit

    def _rows(self, context: ControlContext) -> list[int]:
        """Return the points of the group, or the point of that name."""
        representation = context.representation
        if self.group in representation.point_names:
            return [representation.point_names.index(self.group)]
        if representation.groups.get(self.group):
            return list(context.points("scale_group", self.group))
        expected = f"a group out of {', '.join(representation.groups) or 'none'}, or a point, of {representation.name}"
        remedy = did_you_mean(self.group, (*representation.groups, *representation.point_names))
        raise MotionError("scale_group", expected, short_repr(self.group), remedy)


def _unchanged(frames: Tensor) -> Tensor:
    return frames
