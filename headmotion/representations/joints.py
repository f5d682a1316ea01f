"""Joint positions of a skeleton, described by names and parents."""

from __future__ import annotations

from torch import Tensor

from .geometry import PointRepresentation, rest_pose
from .specs import JointsSpec

SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))


class Joints(PointRepresentation):
    """Joints with x, y and, if the spec says so, depth; drawn as bones from parent to child."""

    name = "joints"

    def __init__(self, spec: JointsSpec) -> None:
        super().__init__(spec)
        self.points = len(spec.names)
        self.dims = self.lengths = spec.dims
        self.point_names = spec.names
        self.groups, self.contours, self.openings = {}, {}, {}
        self.edges = tuple((parent, joint) for joint, parent in enumerate(spec.parents) if parent >= 0)
        self.scale_pair = spec.scale_pair
        self.mirror = mirror_by_name(spec.names)
        self._rest = rest_pose(spec.rest, self.points, (0.0,) * (spec.dims - 2))

    def neutral(self) -> Tensor:
        """The spec's resting pose ``[P, D]``, or an even ring."""
        return self._rest.clone()


def mirror_by_name(names: tuple[str, ...]) -> tuple[int, ...]:
    """The permutation that swaps names which differ in left and right only; every other point keeps its place."""
    index = {name: k for k, name in enumerate(names)}
    return tuple(index.get(other_side(name), k) for k, name in enumerate(names))


def other_side(name: str) -> str:
    """``name`` with left and right exchanged, where it has exactly one of them."""
    for left, right in SIDES:
        if (left in name) != (right in name):
            return name.replace(left, right) if left in name else name.replace(right, left)
    return name
