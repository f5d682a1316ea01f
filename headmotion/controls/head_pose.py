"""Where the head is in each frame, apart from what the face does.

A head is a rigid body seen from afar (scaled orthography: Basri and Ullman 1988; Horaud, Dornaika, Lamiroy, Christy
1997). Motions of two dimensions borrow the depth of a mean head, so that turning foreshortens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.errors import MotionError
from ..representations.neutral_3d import solid_neutral
from .control import Setting

EDGE_ON = 0.3
"""A face turned until it looks narrower than this (a turn of 72 degrees) is not straightened further."""


@dataclass(frozen=True)
class Pose:
    """The head in ``T`` frames, relative to rest."""

    turn: Tensor
    """Rotations ``[T, 3, 3]``; axes x right, y down, z away from the viewer."""
    scale: Tensor
    """Size ``[T]``, 1 at rest."""
    center: Tensor
    """Middle of the skull's points ``[T, D]``."""

    @property
    def plane(self) -> Tensor:
        """What becomes of a displacement in the head's own axes: ``[T, D, D]``."""
        dims = self.center.shape[-1]
        return self.scale[:, None, None] * self.turn[:, :dims, :dims]


class Head:
    """A representation's head at rest, and how it is found in frames. All tensors are float64.

    Raises:
        MotionError: the representation lacks eyes or nose, or the rest pose is degenerate.
    """

    def __init__(self, setting: Setting, control: str) -> None:
        representation, self.rest = setting.representation, setting.rest.double()
        opening = {point for pairs in representation.openings.values() for pair in pairs for point in pair}
        self.skull = [point for point in setting.points(control, "eyes", "nose") if point not in opening]
        """Points that move with the skull alone: corners of the eyes, nose."""
        self.name, self.dims = representation.name, representation.dims
        if not bool(torch.isfinite(self.rest).all()):
            raise MotionError(control, "a finite reference", "NaN or infinity")
        left, right = representation.scale_pair
        self.size = float((self.rest[left] - self.rest[right])[:2].norm())
        """Distance of the scale pair at rest."""
        if self.size <= 0 or len(self.skull) < 3:
            raise MotionError(control, "a reference whose eyes and nose lie apart", f"a {representation.name} without")
        solid = solid_neutral(representation) if self.dims == 2 else None
        self.has_depth = self.dims == 3 or solid is not None
        self.shape = self._shape(solid)
        """The resting head ``[P, 3]`` around the middle of the skull."""
        low = setting.representation.groups.get("lips", ())
        down = self.shape[list(low)].mean(dim=0)[:2] if low else torch.tensor([0.0, 1.0]).double()
        self.down = torch.nn.functional.pad(down / down.norm(), (0, self.dims - 2))
        """Unit vector ``[D]`` from the eyes to the mouth."""
        above = self.shape[:, : self.dims] @ self.down < 0
        jaw = representation.groups.get("jaw", ())
        self.held = [*self.skull, *(point for point in jaw if point not in self.skull and bool(above[point]))]
        """The skull's points, and the ends of the jaw line beside the eyes."""

    def find(self, frames: Tensor) -> Pose:
        """The head's pose in frames ``[T, P, D]``.

        Raises:
            MotionError: a frame is not finite.
        """
        if not bool(torch.isfinite(frames).all()):
            raise MotionError(f"motion of {self.name}", "finite frames", "NaN or infinity")
        return fit_pose(self.shape[self.skull], frames[:, self.skull])

    def place(self, pose: Pose) -> Tensor:
        """The resting head in a pose, ``[T, P, D]``."""
        moved = pose.scale[:, None, None] * (self.shape @ pose.turn.mT)
        return moved[..., : self.dims] + pose.center[:, None]

    def expression(self, frames: Tensor, pose: Pose) -> Tensor:
        """What the face does beyond the rest pose: displacements ``[T, P, D]`` in the axes of the resting head."""
        u, s, vh = torch.linalg.svd(pose.plane)
        straighten = vh.mT @ (u.mT / torch.maximum(s, EDGE_ON * s[:, :1]).clamp(min=1e-12).unsqueeze(-1))
        displaced: Tensor = (frames - self.place(pose)) @ straighten.mT
        return displaced

    def shift(self, frames: Tensor, pose: Pose, change: Tensor) -> Tensor:
        """The frames with their expression changed by ``[T, P, D]``; where that is 0 nothing changes."""
        return frames + change @ pose.plane.mT

    def repose(self, frames: Tensor, old: Pose, new: Pose) -> Tensor:
        """The frames with the head in another pose, the expression kept."""
        moved: Tensor = self.expression(frames, old) @ new.plane.mT
        return self.place(new) + moved

    def _shape(self, solid: Tensor | None) -> Tensor:
        centered = self.rest - self.rest[self.skull].mean(dim=0)
        if self.dims == 3:
            return centered
        if solid is None:
            return torch.nn.functional.pad(centered, (0, 1))
        solid = solid.double() - solid[self.skull].double().mean(dim=0)
        turned = fit_pose(solid[self.skull], self.rest[None, self.skull])
        depth = turned.scale * (solid @ turned.turn[0].T)[:, 2]
        return torch.cat([centered, depth[:, None]], dim=1)


def fit_pose(shape: Tensor, points: Tensor) -> Pose:
    """The pose in which ``shape [N, 3]`` is seen as ``points [T, N, D]``: least squares, made orthonormal."""
    dims = points.shape[-1]
    center = points.mean(dim=1)
    seen = (points - center[:, None]).mT @ torch.linalg.pinv(shape - shape.mean(dim=0), rtol=1e-6).T
    u, s, vh = torch.linalg.svd(seen, full_matrices=False)
    if dims == 3:
        u = torch.cat([u[..., :2], u[..., 2:] * torch.linalg.det(u @ vh)[:, None, None].sign()], dim=-1)
        turn = u @ vh
    else:
        rows = u @ vh
        turn = torch.cat([rows, torch.linalg.cross(rows[:, 0], rows[:, 1])[:, None]], dim=1)
    return Pose(turn, s[:, :2].mean(dim=1), center)


def rotation_vector(turn: Tensor) -> Tensor:
    """Axis times angle in radians ``[T, 3]`` of rotations ``[T, 3, 3]``."""
    skew = (turn - turn.mT) / 2
    axis = torch.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], dim=1)
    sine = axis.norm(dim=1)
    angle = torch.atan2(sine, (turn.diagonal(dim1=1, dim2=2).sum(dim=1) - 1) / 2)
    return axis * torch.where(sine > 1e-9, angle / sine.clamp(min=1e-9), torch.ones_like(angle))[:, None]


def rotation(vector: Tensor) -> Tensor:
    """Rotations ``[T, 3, 3]`` of axis times angle in radians ``[T, 3]``; inverse of `rotation_vector`."""
    x, y, z = vector.unbind(dim=1)
    zero = torch.zeros_like(x)
    rows = [torch.stack(row, dim=1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))]
    turn: Tensor = torch.linalg.matrix_exp(torch.stack(rows, dim=1))
    return turn


def looking(yaw: float, pitch: float) -> Tensor:
    """The rotation ``[3, 3]`` that turns a face to the right of the picture and up, in degrees."""
    across, nod = math.radians(-yaw), math.radians(-pitch)
    vectors = torch.tensor([[0.0, across, 0.0], [nod, 0.0, 0.0]], dtype=torch.float64)
    about_y, about_x = rotation(vectors).unbind()
    turn: Tensor = about_y @ about_x
    return turn
