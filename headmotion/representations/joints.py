"""A body: a skeleton whose root moves and whose joints turn."""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.errors import SpecError
from ..core.interfaces.representation import Representation, UnitSquare
from ..geometry.kinematics import KinematicTree
from ..geometry.rotations import matrix_to_rotation_6d, rotation_6d_to_matrix
from .mirror_names import limbs_by_name, mirror_by_name
from .point_representation import checked_frame, checked_poses, frame_around
from .specs import JointsSpec

VIEWS = {
    "y": ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)),
    "z": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
}
"""For each axis that may point up, the rotation from the skeleton's world to the picture's axes (x right, y down, z
away from the viewer), in which the body faces the viewer if it faces z (or, where z is up, against y)."""


class Joints(Representation):
    """Places of the joints that move, then the rotation of every joint, relative to its parent, in six numbers.

    The row of a place is x, y, z, size, 0, 0. A root's x, y, z is where it is; that of another moving joint is where it
    is in the axes of its parent, instead of its offset. The size, of roots only, is the longer edge of the resting
    skeleton's box and scales all offsets. The row of a rotation is the first two columns of its matrix (`rotations`).

    Axes are the picture's: x right, y down, z away; depth is not seen (orthographic). Places and size are lengths and
    are normalized; rotations are free of scale. A mirror reflects the rotations and swaps left and right.
    """

    name = "joints"
    dims = 6
    spec: JointsSpec

    def __init__(self, spec: JointsSpec) -> None:
        super().__init__(spec)
        count, self.moving = len(spec.names), spec.moving_joints
        self.places_of = [*self.moving, *range(count)]
        """The joint of each row."""
        first = len(self.moving)
        self._held = [self.moving.index(joint) if joint in self.moving else first + joint for joint in range(count)]
        """For each joint where its place comes from: a row of the motion, or the offsets behind these."""
        self.points = first + count
        self.point_names = (*(f"{spec.names[joint]}.place" for joint in self.moving), *spec.names)
        self.groups, self.contours, self.openings = limbs_by_name(self.point_names), {}, {}
        self.tree = KinematicTree(spec.parents)
        self.edges = tuple((first + parent, first + joint) for joint, parent in enumerate(spec.parents) if parent >= 0)
        ends = tuple((first + end.joint, self.points + k) for k, end in enumerate(spec.ends))
        self.drawing_edges = (*self.edges, *ends)
        self.mirror = self._mirror(mirror_by_name(spec.names))
        self._lengths, self._middles, self._signs = self._tables()
        self._offsets = torch.tensor(spec.offsets, dtype=torch.float64)
        self._ends = torch.tensor([end.offset for end in spec.ends], dtype=torch.float64).reshape(-1, 3)
        self.view = torch.tensor(VIEWS[spec.up], dtype=torch.float64)
        self.size = 1.0
        """Longer edge of the resting skeleton's box, seen from the front, in the unit of the offsets."""
        self.size = self._rest_size()
        self.scale_pair = spec.scale_pair or self._stable_pair()

    def neutral(self) -> Tensor:
        """The resting pose ``[P, 6]``, all rotations 0, upright in the middle of the unit frame."""
        standing = self._standing(0.5)
        places = self.to_points2d(standing)
        middle = (places.amin(0) + places.amax(0)) / 2
        roots = [row for row, joint in enumerate(self.moving) if self.spec.parents[joint] < 0]
        standing[roots, :2] += 0.5 - middle
        return standing.to(torch.float32)

    def places(self, values: Tensor) -> Tensor:
        """Places ``[..., J + E, 3]`` of the joints, then of the end sites, of poses ``[..., P, 6]``; differentiable."""
        turned, placed, size = self._world(values)
        ends = [end.joint for end in self.spec.ends]
        tips = turned[..., ends, :, :] @ (size[..., ends, None] * self._ends.to(placed)).unsqueeze(-1)
        return torch.cat([placed, placed[..., ends, :] + tips.squeeze(-1)], dim=-2)

    def turns(self, values: Tensor) -> Tensor:
        """Rotations ``[..., J, 3, 3]`` of the joints in the world of poses ``[..., P, 6]``; differentiable."""
        return self._world(values)[0]

    def frame_of(self, values: Tensor) -> UnitSquare:
        """The frame around the joints of poses ``[..., P, 6]`` in pixels; ends of bones may lie beyond.

        Raises:
            MotionError: wrong number of points, not finite, or all points fall together.
        """
        return frame_around(self.name, self.to_points2d(values))

    def normalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Pixels ``[..., P, >=6]`` to the unit frame ``[..., P, 6]``.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        pixels = checked_poses(self, values, 6)[..., :6]
        origin, unit, middle = self._map(frame, pixels)
        return (pixels - origin) / unit + middle

    def denormalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """The unit frame ``[..., P, 6]`` to pixels.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        inside = checked_poses(self, values, 6)[..., :6]
        origin, unit, middle = self._map(frame, inside)
        return (inside - middle) * unit + origin

    def flip(self, values: Tensor) -> Tensor:
        """Mirror poses ``[..., P, 6]`` of the unit frame: rotations are reflected, joints change sides."""
        inside = checked_poses(self, values, 6)[..., :6]
        shift = 2 * self._middles.to(inside) * inside.new_tensor([1.0, 0, 0, 0, 0, 0])
        return inside[..., list(self.mirror), :] * self._signs.to(inside) + shift

    def to_points2d(self, values: Tensor) -> Tensor:
        """Image positions ``[..., P, 2]``: of each row that of its joint."""
        return self.places(values)[..., self.places_of, :2]

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """Image positions ``[..., P + E, 2]`` of the points and the end sites."""
        places = self.places(values)[..., :2]
        return torch.cat([places[..., self.places_of, :], places[..., len(self.spec.names) :, :]], dim=-2)

    def scale(self, values: Tensor) -> Tensor:
        """Pixels (or unit-frame sides) per unit of the offsets, ``[..., J]``, in poses ``[..., P, 6]``."""
        rows = [self.moving.index(root) for root in self.tree.roots]
        return checked_poses(self, values, 6)[..., rows, 3] / self.size

    def _world(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        poses, first, size = checked_poses(self, values, 6), len(self.moving), self.scale(values)
        still = size[..., None] * self._offsets.to(poses)
        local = torch.cat([poses[..., :first, :3], still], dim=-2)[..., self._held, :]
        turned, placed = self.tree.to_world(rotation_6d_to_matrix(poses[..., first:, :6]), local)
        return turned, placed, size

    def _standing(self, size: float) -> Tensor:
        """The resting skeleton ``[P, 6]`` of a size, its roots where their offsets say; float64."""
        still = torch.zeros(self.points, 6, dtype=torch.float64)
        still[len(self.moving) :] = matrix_to_rotation_6d(torch.eye(3, dtype=torch.float64))
        for row, joint in enumerate(self.moving):
            offset = self._offsets[joint] * size / self.size
            still[row, :3] = offset
            if self.spec.parents[joint] < 0:
                still[row, :3], still[row, 3] = self.view @ offset, size
                still[len(self.moving) + joint] = matrix_to_rotation_6d(self.view)
        return still

    def _rest_size(self) -> float:
        seen = self.to_points2d(self._standing(1.0))
        size = float((seen.amax(0) - seen.amin(0)).amax().to(torch.float32))
        if size <= 0:
            raise SpecError("joints spec", "offsets that lie apart as seen from the front", "all in one place")
        return size

    def _stable_pair(self) -> tuple[int, int]:
        """Joints on both sides of the trunk, the nearest to a root, for they turn the least; else the longest bone."""
        first, places = len(self.moving), self.places(self._standing(self.size))
        pairs = [(row - first, other - first) for row, other in enumerate(self.mirror) if first <= row < other]
        apart = [(a, b) for a, b in pairs if float((places[a] - places[b]).norm()) > 1e-3 * self.size]
        bones = [(parent, joint) for joint, parent in enumerate(self.spec.parents) if parent >= 0] or [(0, 1)]
        longest = max(bones, key=lambda bone: float((places[bone[0]] - places[bone[1]]).norm()))
        a, b = min(apart, key=lambda pair: self.tree.depths[pair[0]], default=longest)
        return first + a, first + b

    def _mirror(self, joints: tuple[int, ...]) -> tuple[int, ...]:
        rows = {joint: row for row, joint in enumerate(self.moving)}
        return (*(rows.get(joints[j], row) for j, row in rows.items()), *(len(rows) + j for j in joints))

    def _tables(self) -> tuple[Tensor, Tensor, Tensor]:
        """Which numbers ``[P, 6]`` are lengths, which lie around the middle of the frame, and the signs of a mirror."""
        roots = torch.tensor([float(self.spec.parents[joint] < 0) for joint in self.moving])[:, None]
        turned = torch.zeros(len(self.spec.names), 6)
        place = torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]])
        lengths = place + roots * torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
        middles = roots * torch.tensor([0.5, 0.5, 0.0, 0.0, 0.0, 0.0])
        moved = torch.tensor([[-1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]).expand(len(self.moving), 6)
        signs = torch.tensor([[1.0, -1.0, -1.0, -1.0, 1.0, 1.0]]).expand(len(turned), 6)
        return torch.cat([lengths, turned]), torch.cat([middles, turned]), torch.cat([moved, signs])

    def _map(self, frame: UnitSquare, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        checked_frame(self.name, frame)
        lengths, middle = self._lengths.to(like), self._middles.to(like)
        center = like.new_tensor([2 * frame.x, 2 * frame.y, 0.0, 0.0, 0.0, 0.0])
        return middle * center, lengths * frame.side + (1 - lengths), middle
