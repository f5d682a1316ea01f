"""Where the head is in each frame, apart from what the face does.

A head is a rigid body seen from afar (scaled orthography: Basri and Ullman 1988; Horaud, Dornaika, Lamiroy, Christy
1997). Motions of two dimensions borrow the depth of a mean head, so that turning foreshortens.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.errors import MotionError
from ..geometry.rigid_fit import OrthographicPose, fit_orthographic_pose
from ..geometry.rotations import axis_rotation
from ..representations.neutral_3d import solid_neutral
from .control import Setting

EDGE_ON = 0.3
"""A face turned until it looks narrower than this (a turn of 72 degrees) is not straightened further."""


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

    def find(self, frames: Tensor) -> OrthographicPose:
        """The head's pose in frames ``[T, P, D]``.

        Raises:
            MotionError: a frame is not finite.
        """
        if not bool(torch.isfinite(frames).all()):
            raise MotionError(f"motion of {self.name}", "finite frames", "NaN or infinity")
        return fit_orthographic_pose(self.shape[self.skull], frames[:, self.skull])

    def place(self, pose: OrthographicPose) -> Tensor:
        """The resting head in a pose, ``[T, P, D]``."""
        moved = pose.scale[:, None, None] * (self.shape @ pose.rotation.mT)
        return moved[..., : self.dims] + pose.center[:, None]

    def expression(self, frames: Tensor, pose: OrthographicPose) -> Tensor:
        """What the face does beyond the rest pose: displacements ``[T, P, D]`` in the axes of the resting head."""
        u, s, vh = torch.linalg.svd(pose.linear)
        straighten = vh.mT @ (u.mT / torch.maximum(s, EDGE_ON * s[:, :1]).clamp(min=1e-12).unsqueeze(-1))
        displaced: Tensor = (frames - self.place(pose)) @ straighten.mT
        return displaced

    def shift(self, frames: Tensor, pose: OrthographicPose, change: Tensor) -> Tensor:
        """The frames with their expression changed by ``[T, P, D]``; where that is 0 nothing changes."""
        return frames + change @ pose.linear.mT

    def repose(self, frames: Tensor, old: OrthographicPose, new: OrthographicPose) -> Tensor:
        """The frames with the head in another pose, the expression kept."""
        moved: Tensor = self.expression(frames, old) @ new.linear.mT
        return self.place(new) + moved

    def _shape(self, solid: Tensor | None) -> Tensor:
        centered = self.rest - self.rest[self.skull].mean(dim=0)
        if self.dims == 3:
            return centered
        if solid is None:
            return torch.nn.functional.pad(centered, (0, 1))
        solid = solid.double() - solid[self.skull].double().mean(dim=0)
        turned = fit_orthographic_pose(solid[self.skull], self.rest[None, self.skull])
        depth = turned.scale * (solid @ turned.rotation[0].T)[:, 2]
        return torch.cat([centered, depth[:, None]], dim=1)


def looking(yaw: float, pitch: float) -> Tensor:
    """The rotation ``[3, 3]`` that turns a face to the right of the picture and up, in degrees."""
    across, nod = torch.deg2rad(torch.tensor([-yaw, -pitch], dtype=torch.float64))
    return axis_rotation(1, across) @ axis_rotation(0, nod)
