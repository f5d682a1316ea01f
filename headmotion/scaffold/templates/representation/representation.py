"""Mouth: a representation of six points of a face in the plane."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from headmotion import MotionError, Representation, UnitSquare

if TYPE_CHECKING:
    from .specs import MouthSpec

REST = {
    "nose": (0.5, 0.25),
    "left_corner": (0.35, 0.5),
    "right_corner": (0.65, 0.5),
    "upper_lip": (0.5, 0.47),
    "lower_lip": (0.5, 0.53),
    "chin": (0.5, 0.75),
}
"""The resting pose in the unit frame; x to the right and y down in the picture."""


class Mouth(Representation):
    """Positions (x, y) of six points."""

    def __init__(self, spec: MouthSpec) -> None:
        super().__init__(spec)
        self.name = spec.type
        self.points, self.dims = len(REST), 2
        self.point_names = tuple(REST)
        self.groups = {"nose": (0,), "lips": (1, 2, 3, 4), "jaw": (5,)}
        self.contours = {"outer_lips": (1, 3, 2, 4)}
        self.openings = {"mouth": ((3, 4),)}
        self.scale_pair = (0, 5)
        self.edges = ((1, 3), (3, 2), (2, 4), (4, 1), (0, 3), (4, 5))
        self.mirror = (0, 2, 1, 3, 4, 5)

    def neutral(self) -> Tensor:
        """Return the resting pose ``[6, 2]`` in the unit frame."""
        return torch.tensor(list(REST.values()))

    def frame_of(self, values: Tensor) -> UnitSquare:
        """Fit the square to poses ``[..., 6, 2]``: center of their box, and twice its longer edge.

        Raises:
            MotionError: no pose, points that are not finite, or all points in one place.
        """
        points = self._checked(values)[..., :2].reshape(-1, 2)
        if not len(points) or not bool(points.isfinite().all()):
            raise MotionError(self.name, "at least one pose of finite points", "none, or NaN or infinity")
        (left, top), (right, bottom) = points.amin(0).tolist(), points.amax(0).tolist()
        side = 2 * max(right - left, bottom - top)
        if side <= 0:
            raise MotionError(self.name, "points at different positions", "all points in one place")
        return UnitSquare((left + right) / 2, (top + bottom) / 2, side)

    def normalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Map pixels ``[..., 6, 2]`` to the unit frame."""
        return (self._checked(values)[..., :2] - self._center(values, frame)) / frame.side + 0.5

    def denormalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Map the unit frame ``[..., 6, 2]`` to pixels."""
        return (self._checked(values) - 0.5) * frame.side + self._center(values, frame)

    def flip(self, values: Tensor) -> Tensor:
        """Mirror poses ``[..., 6, 2]`` of the unit frame: x becomes 1 - x, and left and right points are swapped."""
        mirrored = values[..., list(self.mirror), :]
        return torch.stack([1 - mirrored[..., 0], mirrored[..., 1]], dim=-1)

    def to_points2d(self, values: Tensor) -> Tensor:
        """Return image positions ``[..., 6, 2]``, which are the values themselves."""
        return self._checked(values)[..., :2]

    def _checked(self, values: Tensor) -> Tensor:
        if values.dim() < 2 or values.shape[-2] != self.points or values.shape[-1] < self.dims:
            raise MotionError(self.name, f"poses [..., {self.points}, {self.dims}]", f"the shape {list(values.shape)}")
        return values

    def _center(self, values: Tensor, frame: UnitSquare) -> Tensor:
        if not (frame.side > 0 and all(map(math.isfinite, (frame.x, frame.y, frame.side)))):
            raise MotionError(self.name, "a finite frame with a side above 0", str(frame))
        return values.new_tensor([frame.x, frame.y])
