"""Keypoints that a network found by itself (Siarohin, Lathuilière, Tulyakov, Ricci, Sebe 2019)."""

from __future__ import annotations

from torch import Tensor

from .geometry import PointRepresentation, rest_pose
from .specs import KeypointsSpec


class Keypoints(PointRepresentation):
    """Unnamed points, each with x, y and, if the spec says so, the four numbers of a 2 x 2 Jacobian.

    A Jacobian is free of scale, so normalizing leaves it alone; in a mirror its off-diagonal numbers change sign.
    """

    name = "keypoints"
    lengths = 2
    edges = ()

    def __init__(self, spec: KeypointsSpec) -> None:
        super().__init__(spec)
        self.points = spec.points
        self.dims = 6 if spec.jacobians else 2
        self.mirror_signs = (-1.0, 1.0, 1.0, -1.0, -1.0, 1.0)[: self.dims]
        self.point_names = tuple(f"keypoint_{k}" for k in range(spec.points))
        self.groups, self.contours, self.openings = {}, {}, {}
        self.scale_pair = spec.scale_pair
        self.mirror = spec.mirror or tuple(range(spec.points))
        self._rest = rest_pose(spec.rest, spec.points, (1.0, 0.0, 0.0, 1.0) if spec.jacobians else ())

    def neutral(self) -> Tensor:
        """The spec's resting pose ``[P, D]``, or an even ring with identity Jacobians."""
        return self._rest.clone()
