"""Unsupervised keypoints of a network (Siarohin, Lathuilière, Tulyakov, Ricci, Sebe 2019)."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor

from .point_representation import PointRepresentation, checked_poses, resting_pose
from .specs import KeypointsSpec

RESTING_JACOBIAN = 0.5
"""Diagonal of a Jacobian at rest: a network's picture, from -1 to 1, has width 2, and the unit frame has width 1."""
AXIS_LENGTH = 0.1
"""Length of the axes that are drawn for a Jacobian, in the unit of the network's picture."""


class Keypoints(PointRepresentation):
    """Points with x, y and, with ``jacobians`` in the spec, the four numbers of a 2 x 2 Jacobian, row by row.

    A Jacobian maps a step in the network's own frame to the displacement of the picture around the point. It is in the
    unit of the positions and scales with them, so the Jacobians of networks with positions from -1 to 1 can be used as
    they are. In a mirror the off-diagonal numbers change sign.
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
        resting = (RESTING_JACOBIAN, 0.0, 0.0, RESTING_JACOBIAN)
        self._resting_pose = resting_pose(spec.rest, spec.points, resting if spec.jacobians else ())

    def neutral(self) -> Tensor:
        """Return the spec's resting pose ``[P, D]``, or a regular ring with Jacobians along the axes."""
        return self._resting_pose.clone()

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """Return image positions ``[..., P, 2]``, or with the ends of the Jacobians' axes ``[..., 3 * P, 2]``."""
        points = self.to_points2d(values)
        if self.dims == 2:
            return points
        ends = points.unsqueeze(-2) + AXIS_LENGTH * self.jacobians(values).mT
        return torch.cat([points, rearrange(ends, "... p end d -> ... (p end) d")], dim=-2)

    def jacobians(self, values: Tensor) -> Tensor:
        """Return the Jacobians ``[..., P, 2, 2]`` of poses ``[..., P, 6]``.

        Raises:
            MotionError: another number of points, or none with Jacobians.
        """
        return _as_matrices(checked_poses(self, values, 6)[..., 2:6])


def transform_keypoints(values: Tensor, linear: Tensor, shift: Tensor) -> Tensor:
    """Return the keypoints of a picture that is mapped by ``x -> linear @ x + shift``.

    Args:
        values: ``[..., P, 2]``, or ``[..., P, 6]`` with Jacobians, which are mapped by the linear part.
        linear: ``[..., 2, 2]``: a rotation, a scale, or any linear map.
        shift: ``[..., 2]``.
    """
    points = values[..., :2] @ linear.mT + shift.unsqueeze(-2)
    if values.shape[-1] == 2:
        return points
    jacobians = linear.unsqueeze(-3) @ _as_matrices(values[..., 2:6])
    return torch.cat([points, rearrange(jacobians, "... row column -> ... (row column)")], dim=-1)


def _as_matrices(numbers: Tensor) -> Tensor:
    return rearrange(numbers, "... (row column) -> ... row column", row=2)
