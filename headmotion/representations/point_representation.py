"""Shared code of all representations of points: unit frame, mirror, checks, and resting poses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..core.errors import MotionError, SpecError
from ..core.interfaces.representation import Representation, UnitSquare


class PointRepresentation(Representation):
    """Points whose first ``lengths`` numbers are positions (x, y, depth); further numbers are independent of scale."""

    lengths: int
    """How many numbers of each point are lengths."""

    mirror_signs: tuple[float, ...] = ()
    """Factor of each of the ``D`` numbers in a mirror; by default only x changes its sign."""

    def frame_of(self, values: Tensor) -> UnitSquare:
        """Return the square around all points of poses ``[..., P, >=2]`` in pixels.

        Raises:
            MotionError: wrong number of points, not finite, or all points coincide.
        """
        return frame_around(self.name, checked_poses(self, values, 2)[..., :2])

    def normalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Map pixels ``[..., P, >=D]`` to the unit frame ``[..., P, D]``; numbers beyond the ``D``-th are dropped.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        pixels = checked_poses(self, values, self.dims)[..., : self.dims]
        center, side, unit_center = self._scaling(frame, pixels)
        return (pixels - center) / side + unit_center

    def denormalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Map the unit frame ``[..., P, D]`` to pixels.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        poses = checked_poses(self, values, self.dims)[..., : self.dims]
        center, side, unit_center = self._scaling(frame, poses)
        return (poses - unit_center) * side + center

    def flip(self, values: Tensor) -> Tensor:
        """Mirror poses ``[..., P, D]`` of the unit frame left to right: x becomes 1 - x, points change sides."""
        poses = checked_poses(self, values, self.dims)[..., : self.dims]
        signs = poses.new_tensor(self.mirror_signs or (-1.0,) + (1.0,) * (self.dims - 1))
        # The unit frame is 0..1, so its mirror axis is x = 0.5; depth and other numbers have none.
        shift = poses.new_tensor((1.0,) + (0.0,) * (self.dims - 1))
        return poses[..., list(self.mirror), :] * signs + shift

    def to_points2d(self, values: Tensor) -> Tensor:
        """Return image positions ``[..., P, 2]`` of poses ``[..., P, D]``: the first two numbers of each point."""
        return checked_poses(self, values, 2)[..., :2]

    def _scaling(self, frame: UnitSquare, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the square's center and side in pixels, and its center in the unit frame, each ``[D]``."""
        checked_frame(self.name, frame)
        zeros = [0.0] * (self.dims - 2)
        center = like.new_tensor([frame.x, frame.y, *zeros])
        side = like.new_tensor([frame.side] * self.lengths + [1.0] * (self.dims - self.lengths))
        return center, side, like.new_tensor([0.5, 0.5, *zeros])


def checked_poses(representation: Representation, values: Tensor, dims: int) -> Tensor:
    """Return poses ``[..., P, >=dims]`` as floating-point numbers.

    Args:
        representation: what the values are poses of.
        values: the poses.
        dims: the least count of numbers per point.

    Raises:
        MotionError: another number of points, or fewer than ``dims`` numbers per point.
    """
    points = representation.points
    if values.dim() < 2 or values.shape[-2] != points or values.shape[-1] < dims:
        expected = f"poses [..., {points}, {dims} or more]"
        raise MotionError(representation.name, expected, f"the shape {list(values.shape)}")
    return values if values.is_floating_point() else values.to(torch.float32)


def checked_frame(name: str, frame: UnitSquare) -> None:
    """Refuse a square that cannot be mapped.

    Args:
        name: of the representation, for the error.
        frame: the square.

    Raises:
        MotionError: it is not finite, or its side is not above 0.
    """
    if not (frame.side > 0 and all(map(math.isfinite, (frame.x, frame.y, frame.side)))):
        raise MotionError(name, "a finite frame with a side above 0", str(frame))


def frame_around(name: str, points: Tensor) -> UnitSquare:
    """Return the square around points ``[..., 2]``: center of their box, side = 2 x its longer edge.

    Args:
        name: of the representation, for the error.
        points: image positions.

    Raises:
        MotionError: there are none, they are not finite, or all coincide.
    """
    # One box for all poses: a square per frame would remove the head's motion.
    flat = points.reshape(-1, 2)
    low, high = (flat.amin(dim=0).tolist(), flat.amax(dim=0).tolist()) if len(flat) else ([math.nan], [math.nan])
    # What is not finite is least or largest, and NaN is both.
    if not all(map(math.isfinite, (*low, *high))):
        raise MotionError(name, "at least one pose of finite points", "none, or NaN or infinity")
    side = 2.0 * max(high[0] - low[0], high[1] - low[1])
    if side <= 0.0:
        raise MotionError(name, "points at different positions", "all points in one place")
    return UnitSquare(x=(low[0] + high[0]) / 2, y=(low[1] + high[1]) / 2, side=side)


def resting_pose(rest: Sequence[Sequence[float]], points: int, other_numbers: Sequence[float]) -> Tensor:
    """Return the resting pose ``[P, D]`` of a spec, or a regular ring of points that fills the unit frame.

    Args:
        rest: one row of ``D`` numbers per point; may be empty.
        points: number of points.
        other_numbers: what follows x and y of each point in the ring.
    """
    if rest:
        return torch.tensor(rest, dtype=torch.float32)
    angles = torch.arange(points) * (2 * math.pi / points)
    ring = torch.stack([0.5 - 0.25 * angles.cos(), 0.5 - 0.25 * angles.sin()], dim=-1)
    return torch.cat([ring, torch.tensor(other_numbers, dtype=torch.float32).expand(points, -1)], dim=-1)


def neutral_3d(representation: Representation) -> Tensor | None:
    """Return the resting pose ``[P, 3]`` in the unit frame, x right, y down, z away from the viewer.

    A representation of two dimensions takes the depth of its sibling, the same spec with ``dims`` 3. None if there is
    no such sibling.
    """
    if representation.dims == 3:
        return representation.neutral()
    if "dims" not in type(representation.spec).model_fields:
        return None
    try:
        sibling = type(representation.spec).model_validate(representation.spec.model_dump() | {"dims": 3})
    except SpecError:  # such as a resting pose that the user gave in two dimensions
        return None
    neutral: Tensor = sibling.build(None).neutral()  # type: ignore[attr-defined]
    return neutral if neutral.shape == (representation.points, 3) else None
