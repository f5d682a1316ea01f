"""Keypoints that a network found by itself (Siarohin, Lathuilière, Tulyakov, Ricci, Sebe 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

from .point_representation import PointRepresentation, checked_poses, rest_pose
from .specs import KeypointsSpec

JACOBIAN_AT_REST = 0.5
"""A network's picture, from -1 to 1, is two wide and the unit frame one."""
AXIS = 0.1
"""Length of the axes that are drawn of a Jacobian, in the unit in which a network sees its picture."""


class Keypoints(PointRepresentation):
    """Points, each with x, y and, if the spec says so, the four numbers of a 2 x 2 Jacobian, row by row.

    A Jacobian says how far the picture's neighborhood of the point goes for a step in the network's own frame. It is in
    the unit of the positions and scales with them: keypoints as such networks give them, positions from -1 to 1, need
    nothing done to their Jacobians. In a mirror the off-diagonal numbers change sign.
    """

    name = "keypoints"
    edges = ()

    def __init__(self, spec: KeypointsSpec) -> None:
        super().__init__(spec)
        self.points = spec.points
        self.dims = self.lengths = 6 if spec.jacobians else 2
        self.mirror_signs = (-1.0, 1.0, 1.0, -1.0, -1.0, 1.0)[: self.dims]
        self.point_names = tuple(f"keypoint_{k}" for k in range(spec.points))
        self.groups, self.contours, self.openings = {}, {}, {}
        self.scale_pair = spec.scale_pair
        self.mirror = spec.mirror or tuple(range(spec.points))
        axes = range(spec.points, 3 * spec.points) if spec.jacobians else ()
        self.drawing_edges = tuple(((end - spec.points) // 2, end) for end in axes)
        still = (JACOBIAN_AT_REST, 0.0, 0.0, JACOBIAN_AT_REST)
        self._rest = rest_pose(spec.rest, spec.points, still if spec.jacobians else ())

    def neutral(self) -> Tensor:
        """The spec's resting pose ``[P, D]``, or an even ring with Jacobians along the axes."""
        return self._rest.clone()

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """Image positions ``[..., P, 2]`` or, with Jacobians, ``[..., 3 * P, 2]``: then the ends of their two axes."""
        places = self.to_points2d(values)
        if self.dims == 2:
            return places
        ends = places.unsqueeze(-2) + AXIS * self.jacobians(values).mT
        return torch.cat([places, ends.flatten(-3, -2)], dim=-2)

    def jacobians(self, values: Tensor) -> Tensor:
        """The Jacobians ``[..., P, 2, 2]`` of poses ``[..., P, 6]``.

        Raises:
            MotionError: another number of points, or none with Jacobians.
        """
        return _square(checked_poses(self, values, 6)[..., 2:6])


def transformed(values: Tensor, turn: Tensor, shift: Tensor) -> Tensor:
    """Keypoints ``[..., P, 2]`` or ``[..., P, 6]`` of a picture that is mapped by ``x -> turn x + shift``.

    Args:
        turn: ``[..., 2, 2]``: a rotation, a scale, any linear map; it carries Jacobians along.
        shift: ``[..., 2]``.
    """
    places = values[..., :2] @ turn.mT + shift.unsqueeze(-2)
    if values.shape[-1] == 2:
        return places
    jacobians = turn.unsqueeze(-3) @ _square(values[..., 2:6])
    return torch.cat([places, jacobians.flatten(-2)], dim=-1)


def _square(numbers: Tensor) -> Tensor:
    return numbers.reshape(*numbers.shape[:-1], 2, 2)
