"""Joint positions of a skeleton, described by names and parents."""

from __future__ import annotations

from torch import Tensor

from .mirror_names import limbs_by_name, mirror_by_name
from .point_representation import PointRepresentation, rest_pose
from .specs import JointPositionsSpec


class JointPositions(PointRepresentation):
    """Joints with x, y and, if the spec says so, depth; drawn as bones from parent to child."""

    name = "joint-positions"

    def __init__(self, spec: JointPositionsSpec) -> None:
        super().__init__(spec)
        self.points = len(spec.names)
        self.dims = self.lengths = spec.dims
        self.point_names = spec.names
        self.groups, self.contours, self.openings = limbs_by_name(spec.names), {}, {}
        self.edges = tuple((parent, joint) for joint, parent in enumerate(spec.parents) if parent >= 0)
        self.scale_pair = spec.scale_pair
        self.mirror = mirror_by_name(spec.names)
        self._rest = rest_pose(spec.rest, self.points, (0.0,) * (spec.dims - 2))

    def neutral(self) -> Tensor:
        """The spec's resting pose ``[P, D]``, or an even ring."""
        return self._rest.clone()
