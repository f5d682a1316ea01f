"""What all point representations share: the way to the unit frame and back, mirroring, and the box around points."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..core.errors import MotionError, SpecError
from ..core.interfaces.representation import Representation, UnitSquare


class PointRepresentation(Representation):
    """Points whose first ``lengths`` numbers are positions (x, y, depth); numbers beyond them are free of scale."""

    lengths: int

    mirror_signs: tuple[float, ...] = ()
    """Sign that each of the ``D`` numbers takes in a mirror; by default x alone changes."""

    def frame_of(self, values: Tensor) -> UnitSquare:
        """The frame of poses ``[..., P, >=2]`` in pixels, from the box around all points of all poses given.

        Raises:
            MotionError: wrong number of points, not finite, or all points fall together.
        """
        return frame_around(self.name, checked_poses(self, values, 2)[..., :2])

    def normalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Pixels ``[..., P, >=D]`` to the unit frame ``[..., P, D]``; numbers beyond the ``D``-th are dropped.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        pixels = checked_poses(self, values, self.dims)[..., : self.dims]
        origin, unit, middle = self._map(frame, pixels)
        return (pixels - origin) / unit + middle

    def denormalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """The unit frame ``[..., P, D]`` to pixels.

        Raises:
            MotionError: the values or the frame do not fit.
        """
        inside = checked_poses(self, values, self.dims)[..., : self.dims]
        origin, unit, middle = self._map(frame, inside)
        return (inside - middle) * unit + origin

    def flip(self, values: Tensor) -> Tensor:
        """Mirror poses ``[..., P, D]`` of the unit frame left to right: x becomes 1 - x, points change sides."""
        inside = checked_poses(self, values, self.dims)[..., : self.dims]
        signs = inside.new_tensor(self.mirror_signs or (-1.0,) + (1.0,) * (self.dims - 1))
        shift = inside.new_tensor((1.0,) + (0.0,) * (self.dims - 1))
        return inside[..., list(self.mirror), :] * signs + shift

    def to_points2d(self, values: Tensor) -> Tensor:
        """Image positions ``[..., P, 2]`` of poses ``[..., P, D]``: the first two numbers of each point."""
        return checked_poses(self, values, 2)[..., :2]

    def _map(self, frame: UnitSquare, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        checked_frame(self.name, frame)
        beyond = self.dims - 2
        origin = like.new_tensor([frame.x, frame.y, *[0.0] * beyond])
        unit = like.new_tensor([frame.side] * self.lengths + [1.0] * (self.dims - self.lengths))
        middle = like.new_tensor([0.5, 0.5, *[0.0] * beyond])
        return origin, unit, middle


def checked_poses(representation: Representation, values: Tensor, dims: int) -> Tensor:
    """The poses ``[..., P, >=dims]`` themselves, as floating-point numbers.

    Raises:
        MotionError: another number of points, or fewer than ``dims`` numbers each.
    """
    points = representation.points
    if values.dim() < 2 or values.shape[-2] != points or values.shape[-1] < dims:
        expected = f"poses [..., {points}, {dims} or more]"
        raise MotionError(representation.name, expected, f"the shape {list(values.shape)}")
    return values if values.is_floating_point() else values.to(torch.float32)


def checked_frame(name: str, frame: UnitSquare) -> None:
    """Refuse a frame that maps nothing.

    Raises:
        MotionError: it is not finite, or its side is not above 0.
    """
    if not (frame.side > 0 and all(map(math.isfinite, (frame.x, frame.y, frame.side)))):
        raise MotionError(name, "a finite frame with a side above 0", str(frame))


def frame_around(name: str, places: Tensor) -> UnitSquare:
    """The frame of places ``[..., 2]``: center of their box, side = 2 x its longer edge.

    Raises:
        MotionError: there are none, they are not finite, or all fall together.
    """
    flat = places.reshape(-1, 2)
    if not len(flat) or not bool(torch.isfinite(flat).all()):
        raise MotionError(name, "at least one pose of finite points", "none, or NaN or infinity")
    low, high = flat.amin(dim=0).tolist(), flat.amax(dim=0).tolist()
    side = 2.0 * max(high[0] - low[0], high[1] - low[1])
    if side <= 0.0:
        raise MotionError(name, "points that lie apart", "all points in one place")
    return UnitSquare(x=(low[0] + high[0]) / 2, y=(low[1] + high[1]) / 2, side=side)


def rest_pose(rest: Sequence[Sequence[float]], points: int, beyond: Sequence[float]) -> Tensor:
    """The pose ``rest``, or an even ring of points that fills its frame, with the numbers ``beyond`` x and y."""
    if rest:
        return torch.tensor(rest, dtype=torch.float32)
    angles = torch.arange(points) * (2 * math.pi / points)
    ring = torch.stack([0.5 - 0.25 * angles.cos(), 0.5 - 0.25 * angles.sin()], dim=-1)
    return torch.cat([ring, torch.tensor(beyond, dtype=torch.float32).expand(points, -1)], dim=-1)


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
