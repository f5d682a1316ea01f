"""Action units as a representation: named intensities, drawn as bars."""

from __future__ import annotations

import torch
from torch import Tensor

import headmotion as hm

from .facs import GROUPS
from .specs import ActionUnitsSpec

FLOOR, HEIGHT, EDGE = 0.75, 0.5, 0.25
"""Lower end of the bars, height of a bar at intensity 1, and distance of the outer bars from the sides; unit frame."""


OPENING, OPENING_WIDTHS = ("AU25", "AU26"), 0.4
"""Units that open the mouth, and its opening at intensity 1, in widths of it."""


class ActionUnits(hm.Representation):
    """Intensities of action units, one number each: 0 at rest, 1 at the maximum.

    They have no place in a picture: normalizing changes nothing, and a mirror neither, because a unit stands for both
    sides of the face. A drawing shows them as bars, in the order of their names.
    """

    name = "au/action-units"
    dims = 1

    def __init__(self, spec: ActionUnitsSpec) -> None:
        super().__init__(spec)
        self.point_names, self.points = spec.units, len(spec.units)
        self.mirror = tuple(range(self.points))
        members = {
            group: tuple(spec.units.index(unit) for unit in units if unit in spec.units)
            for group, units in GROUPS.items()
        }
        self.groups = {group: indices for group, indices in members.items() if indices}
        self.drawing_edges = tuple((unit, self.points + unit) for unit in range(self.points))

    def neutral(self) -> Tensor:
        """Return the face at rest, ``[P, 1]``, all zeros."""
        return torch.zeros(self.points, 1)

    def frame_of(self, values: Tensor) -> hm.UnitSquare:
        """Return the square 0..1 for any poses ``[..., P, 1]``.

        Raises:
            MotionError: another number of units, no pose, or not finite.
        """
        if not self._checked(values).numel() or not bool(values.isfinite().all()):
            raise hm.MotionError(self.name, "at least one pose of finite intensities", "none, or NaN or infinity")
        return hm.UnitSquare(0.5, 0.5, 1.0)

    def normalize(self, values: Tensor, frame: hm.UnitSquare) -> Tensor:
        """Return intensities ``[..., P, 1]`` as they are: they do not depend on the square.

        Raises:
            MotionError: values of another shape, or a square without a side.
        """
        if not frame.side > 0:
            raise hm.MotionError(self.name, "a frame with a side above 0", str(frame))
        return self._checked(values)

    denormalize = normalize

    def flip(self, values: Tensor) -> Tensor:
        """Return intensities ``[..., P, 1]`` as they are."""
        return self._checked(values) + 0.0

    def mouth_opening(self, pose: Tensor) -> float:
        """Return how far the mouth of a face ``[P, 1]`` is open, in widths of it, as the parted lips or the jaw say."""
        parted = [float(pose[self.point_names.index(unit), 0]) for unit in OPENING if unit in self.point_names]
        return OPENING_WIDTHS * max(parted, default=0.0)

    def close_mouth(self, pose: Tensor) -> Tensor:
        """Return the face ``[P, 1]`` with lips and jaw closed."""
        closed = pose.clone()
        closed[[self.point_names.index(unit) for unit in OPENING if unit in self.point_names]] = 0.0
        return closed

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """Return the upper ends of the bars, then the lower ones, ``[..., 2 P, 2]`` in the unit frame."""
        heights = self._checked(values)[..., 0]
        feet = torch.full_like(heights, FLOOR)
        across = torch.linspace(EDGE, 1 - EDGE, self.points).to(heights).expand_as(heights)
        ends = (feet - HEIGHT * heights, feet)
        return torch.cat([torch.stack([across, down], dim=-1) for down in ends], dim=-2)

    def _checked(self, values: Tensor) -> Tensor:
        if values.dim() < 2 or values.shape[-2:] != (self.points, 1):
            expected = f"intensities [..., {self.points}, 1] of {', '.join(self.point_names)}"
            raise hm.MotionError(self.name, expected, f"the shape {list(values.shape)}")
        return values
