"""Bodies: a skeleton whose root moves and whose joints rotate, or the positions of its joints."""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.errors import SpecError
from ..core.interfaces.representation import Representation, UnitSquare
from ..geometry.kinematics import KinematicTree
from ..geometry.rotations import matrix_to_rotation_6d, rotation_6d_to_matrix
from .mirror_names import limbs_by_name, mirror_by_name
from .point_representation import PointRepresentation, checked_frame, checked_poses, frame_around, resting_pose
from .specs import JointPositionsSpec, JointsSpec

VIEWS = {
    "y": ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)),
    "z": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
}
"""For each axis that may point up, the rotation from the skeleton's world to the picture's axes (x right, y down, z
away from the viewer), in which the body faces the viewer if it faces z (or, where z is up, against y)."""


class JointPositions(PointRepresentation):
    """Joints with x, y and, with ``dims`` 3 in the spec, depth; drawn as bones from parent to child."""

    name = "joint-positions"

    def __init__(self, spec: JointPositionsSpec) -> None:
        super().__init__(spec)
        self.points = len(spec.names)
        self.dims = self.lengths = spec.dims
        self.point_names = spec.names
        self.groups, self.contours, self.openings = limbs_by_name(spec.names), {}, {}
        self.edges = _bones(spec)
        self.scale_pair = spec.scale_pair
        self.mirror = mirror_by_name(spec.names)
        self._resting_pose = resting_pose(spec.rest, self.points, (0.0,) * (spec.dims - 2))

    def neutral(self) -> Tensor:
        """Return the spec's resting pose ``[P, D]``, or a regular ring."""
        return self._resting_pose.clone()


class Joints(Representation):
    """Positions of the joints that move, then the rotation of every joint in six numbers, relative to its parent.

    The row of a position is x, y, z, size, 0, 0. For a root, x, y, z is its position in the picture; for another moving
    joint, its position in the axes of its parent, in place of its offset. The size, of roots only, is the longer edge
    of the resting skeleton's box and scales all offsets. The row of a rotation is the first two columns of its matrix
    (see `rotation_6d_to_matrix`).

    Axes are the picture's: x right, y down, z away; depth is not visible (orthographic projection). Positions and size
    are lengths and are normalized; rotations are independent of scale. A mirror reflects the rotations and swaps left
    and right.
    """

    name = "joints"
    dims = 6
    spec: JointsSpec

    def __init__(self, spec: JointsSpec) -> None:
        super().__init__(spec)
        count, self.moving_joints = len(spec.names), spec.moving_joints
        self.joint_of_row = [*self.moving_joints, *range(count)]
        """The joint of each of the ``P`` rows."""
        first = len(self.moving_joints)
        row_of = {joint: row for row, joint in enumerate(self.moving_joints)}
        self._position_source = [row_of.get(joint, first + joint) for joint in range(count)]
        """Source of each joint's local position: a row of the motion, or the offsets, which are numbered after them."""
        self.points = first + count
        self.point_names = (*(f"{spec.names[joint]}.place" for joint in self.moving_joints), *spec.names)
        self.groups, self.contours, self.openings = limbs_by_name(self.point_names), {}, {}
        self.tree = KinematicTree(spec.parents)
        self._root_rows = [row_of[root] for root in self.tree.roots]
        self.edges = tuple((first + parent, first + joint) for parent, joint in _bones(spec))
        ends = tuple((first + end.joint, self.points + k) for k, end in enumerate(spec.ends))
        self.drawing_edges = (*self.edges, *ends)
        self.mirror = self._mirror_rows(mirror_by_name(spec.names))
        self._lengths, self._unit_center, self._signs = self._tables()
        # In float64 here; each call converts them to the type and device of its poses.
        self._offsets = torch.tensor(spec.offsets, dtype=torch.float64)
        self._ends = torch.tensor([end.offset for end in spec.ends], dtype=torch.float64).reshape(-1, 3)
        self.view = torch.tensor(VIEWS[spec.up], dtype=torch.float64)
        """Rotation ``[3, 3]`` from the skeleton's world to the picture's axes."""
        self.size = 1.0
        """Longer edge of the resting skeleton's box, seen from the front, in the unit of the offsets."""
        self.size = self._resting_size()
        self.scale_pair = spec.scale_pair or self._stable_pair()

    def neutral(self) -> Tensor:
        """Return the resting pose ``[P, 6]``: no rotations, upright in the middle of the unit frame."""
        pose = self._upright(0.5)
        # Roots move together, so that several roots keep their distances.
        points = self.to_points2d(pose)
        center = (points.amin(0) + points.amax(0)) / 2
        roots = [row for row, joint in enumerate(self.moving_joints) if self.spec.parents[joint] < 0]
        pose[roots, :2] += 0.5 - center
        return pose.to(torch.float32)

    def positions(self, values: Tensor) -> Tensor:
        """Return positions ``[..., J + E, 3]`` of the joints, then of the end sites; differentiable.

        Args:
            values: poses ``[..., P, 6]``; the result has their unit.
        """
        rotations, positions, scale = self._world(values)
        joints = [end.joint for end in self.spec.ends]
        offsets = scale[..., joints, None] * self._ends.to(positions)
        ends = positions[..., joints, :] + (rotations[..., joints, :, :] @ offsets.unsqueeze(-1)).squeeze(-1)
        return torch.cat([positions, ends], dim=-2)

    def rotations(self, values: Tensor) -> Tensor:
        """Return world rotations ``[..., J, 3, 3]`` of the joints of poses ``[..., P, 6]``; differentiable."""
        return self._world(values)[0]

    def frame_of(self, values: Tensor) -> UnitSquare:
        """Return the square around the joints of poses ``[..., P, 6]`` in pixels; end sites may lie beyond.

        Raises:
            MotionError: wrong number of points, not finite, or all points coincide.
        """
        return frame_around(self.name, self.to_points2d(values))

    def normalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Map pixels ``[..., P, >=6]`` to the unit frame ``[..., P, 6]``.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        pixels = checked_poses(self, values, 6)[..., :6]
        center, side, unit_center = self._scaling(frame, pixels)
        return (pixels - center) / side + unit_center

    def denormalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Map the unit frame ``[..., P, 6]`` to pixels.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        poses = checked_poses(self, values, 6)[..., :6]
        center, side, unit_center = self._scaling(frame, poses)
        return (poses - unit_center) * side + center

    def flip(self, values: Tensor) -> Tensor:
        """Mirror poses ``[..., P, 6]`` of the unit frame: rotations are reflected, joints change sides."""
        poses = checked_poses(self, values, 6)[..., :6]
        shift = 2 * self._unit_center.to(poses) * poses.new_tensor([1.0, 0, 0, 0, 0, 0])
        return poses[..., list(self.mirror), :] * self._signs.to(poses) + shift

    def to_points2d(self, values: Tensor) -> Tensor:
        """Return image positions ``[..., P, 2]`` of the joint of each row."""
        return self.positions(values)[..., self.joint_of_row, :2]

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """Return image positions ``[..., P + E, 2]`` of the points, then of the end sites."""
        positions = self.positions(values)[..., :2]
        return torch.cat([positions[..., self.joint_of_row, :], positions[..., len(self.spec.names) :, :]], dim=-2)

    def scale(self, values: Tensor) -> Tensor:
        """Return the scale ``[..., J]`` of poses ``[..., P, 6]``: pixels (or unit frames) per unit of the offsets."""
        return checked_poses(self, values, 6)[..., self._root_rows, 3] / self.size

    def _world(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return world rotations ``[..., J, 3, 3]``, positions ``[..., J, 3]`` and scales ``[..., J]``."""
        poses, first, scale = checked_poses(self, values, 6), len(self.moving_joints), self.scale(values)
        offsets = scale[..., None] * self._offsets.to(poses)
        local = torch.cat([poses[..., :first, :3], offsets], dim=-2)[..., self._position_source, :]
        rotations, positions = self.tree.to_world(rotation_6d_to_matrix(poses[..., first:, :6]), local)
        return rotations, positions, scale

    def _upright(self, size: float) -> Tensor:
        """Return the resting skeleton ``[P, 6]`` of a size, its roots at their offsets; float64."""
        pose = torch.zeros(self.points, 6, dtype=torch.float64)
        pose[len(self.moving_joints) :] = matrix_to_rotation_6d(torch.eye(3, dtype=torch.float64))
        for row, joint in enumerate(self.moving_joints):
            offset = self._offsets[joint] * size / self.size
            pose[row, :3] = offset
            if self.spec.parents[joint] < 0:
                pose[row, :3], pose[row, 3] = self.view @ offset, size
                pose[len(self.moving_joints) + joint] = matrix_to_rotation_6d(self.view)
        return pose

    def _resting_size(self) -> float:
        points = self.to_points2d(self._upright(1.0))
        # Rounded to float32, in which motions are stored, so that the scale of a resting skeleton is exactly 1.
        size = float((points.amax(0) - points.amin(0)).amax().to(torch.float32))
        if size <= 0:
            raise SpecError("joints spec", "offsets that differ as seen from the front", "all joints in one place")
        return size

    def _stable_pair(self) -> tuple[int, int]:
        """Return the rows of a left and a right joint as near to a root as possible; else those of the longest bone.

        Near a root, joints rotate the least, so their distance is a stable measure of size.
        """
        first, positions = len(self.moving_joints), self.positions(self._upright(self.size))

        def length(bone: tuple[int, int]) -> float:
            return float((positions[bone[0]] - positions[bone[1]]).norm())

        pairs = [(row - first, other - first) for row, other in enumerate(self.mirror) if first <= row < other]
        separated = [pair for pair in pairs if length(pair) > 1e-3 * self.size]
        longest = max(_bones(self.spec) or [(0, 1)], key=length)
        left, right = min(separated, key=lambda pair: self.tree.depths[pair[0]], default=longest)
        return first + left, first + right

    def _mirror_rows(self, joints: tuple[int, ...]) -> tuple[int, ...]:
        rows = {joint: row for row, joint in enumerate(self.moving_joints)}
        return (*(rows.get(joints[j], row) for j, row in rows.items()), *(len(rows) + j for j in joints))

    def _tables(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return, each ``[P, 6]``, which numbers are lengths, where their center is, and their signs in a mirror."""
        is_root = torch.tensor([float(self.spec.parents[joint] < 0) for joint in self.moving_joints])[:, None]
        rotations = torch.zeros(len(self.spec.names), 6)
        position = torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]])
        lengths = position + is_root * torch.tensor([0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
        unit_center = is_root * torch.tensor([0.5, 0.5, 0.0, 0.0, 0.0, 0.0])
        position_signs = torch.tensor([[-1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]).expand(len(self.moving_joints), 6)
        # A rotation R becomes M R M with M = diag(-1, 1, 1).
        rotation_signs = torch.tensor([[1.0, -1.0, -1.0, -1.0, 1.0, 1.0]]).expand(len(rotations), 6)
        signs = torch.cat([position_signs, rotation_signs])
        return torch.cat([lengths, rotations]), torch.cat([unit_center, rotations]), signs

    def _scaling(self, frame: UnitSquare, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the square's center and side in pixels, and its center in the unit frame, each ``[P, 6]``."""
        checked_frame(self.name, frame)
        lengths, unit_center = self._lengths.to(like), self._unit_center.to(like)
        doubled = like.new_tensor([2 * frame.x, 2 * frame.y, 0.0, 0.0, 0.0, 0.0])  # unit_center is 0.5, or 0 elsewhere
        return unit_center * doubled, lengths * frame.side + (1 - lengths), unit_center


def _bones(spec: JointsSpec | JointPositionsSpec) -> tuple[tuple[int, int], ...]:
    """Return the pairs (parent, joint) of a skeleton."""
    return tuple((parent, joint) for joint, parent in enumerate(spec.parents) if parent >= 0)
