"""The pose of the head in each frame, separated from the facial expression.

A head is a rigid body seen by a distant camera (scaled orthography). Motions of two dimensions take the depth of a mean
head, so that a head that turns foreshortens.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..core.errors import MotionError
from ..geometry.rigid_fit import OrthographicPose, fit_orthographic_pose
from ..representations.point_representation import neutral_3d
from .control import ControlContext

EDGE_ON = 0.3
"""A face that has turned until it looks narrower than this (by 72 degrees) is not widened further, because noise would
grow with it."""


class HeadModel:
    """The resting head of a representation, and the fit of its pose to frames. All tensors are float64.

    Raises:
        MotionError: the representation lacks eyes or nose or has no positions, or the resting pose is degenerate.
    """

    def __init__(self, context: ControlContext, control: str) -> None:
        representation, self.resting_pose = context.representation, context.resting_pose.double()
        # Points that open and close are in the groups of eyes and lips, but do not move with the skull.
        lids_and_lips = {point for pairs in representation.openings.values() for pair in pairs for point in pair}
        self.skull = [point for point in context.points(control, "eyes", "nose") if point not in lids_and_lips]
        """Points that move with the skull only: corners of the eyes, nose."""
        self.name, self.dims = representation.name, representation.dims
        if self.dims not in (2, 3):
            got = f"{self.name} with {self.dims} number(s) per point"
            raise MotionError(control, "a representation of points with x and y", got)
        if not bool(torch.isfinite(self.resting_pose).all()):
            raise MotionError(control, "a finite reference", "NaN or infinity")
        left, right = representation.scale_pair
        self.size = float((self.resting_pose[left] - self.resting_pose[right])[:2].norm())
        """Distance of the scale pair at rest, in the unit of the frames."""
        if self.size <= 0 or len(self.skull) < 3:
            got = f"a {representation.name} without"
            raise MotionError(control, "a reference whose eyes and nose are at different positions", got)
        mean_head = neutral_3d(representation) if self.dims == 2 else None
        self.has_depth = self.dims == 3 or mean_head is not None
        self.shape = self._resting_shape(mean_head)
        """The resting head ``[P, 3]`` around the mean of the skull's points."""
        lips = representation.groups.get("lips", ())
        # From the resting pose rather than along y, because a reference may be tilted.
        down = self.shape[list(lips)].mean(dim=0)[:2] if lips else torch.tensor([0.0, 1.0]).double()
        self.down = functional.pad(down / down.norm(), (0, self.dims - 2))
        """Unit vector ``[D]`` from the eyes to the mouth."""
        beside_eyes = self.shape[:, : self.dims] @ self.down < 0
        jaw = [point for point in representation.groups.get("jaw", ()) if point not in self.skull]
        self.rigid_points = [*self.skull, *(point for point in jaw if bool(beside_eyes[point]))]
        """The skull's points, and the ends of the jaw line next to the eyes."""

    def fit(self, frames: Tensor) -> OrthographicPose:
        """Fit the head's pose to frames ``[T, P, D]``; rotation and scale are relative to rest.

        Raises:
            MotionError: a frame is not finite.
        """
        if not bool(torch.isfinite(frames).all()):
            raise MotionError(f"motion of {self.name}", "finite frames", "NaN or infinity")
        return fit_orthographic_pose(self.shape[self.skull], frames[:, self.skull])

    def project(self, pose: OrthographicPose) -> Tensor:
        """Return the resting head in a pose, ``[T, P, D]``."""
        rotated = pose.scale[:, None, None] * (self.shape @ pose.rotation.mT)
        return rotated[..., : self.dims] + pose.center[:, None]

    def expression(self, frames: Tensor, pose: OrthographicPose) -> Tensor:
        """Return displacements ``[T, P, D]`` from the resting face, in the axes of the resting head.

        Args:
            frames: ``[T, P, D]``.
            pose: of the head in the frames.
        """
        # The inverse of the pose's linear map, limited where it would widen a face that is seen from the side.
        u, singular, vh = torch.linalg.svd(pose.linear)
        limited = torch.maximum(singular, EDGE_ON * singular[:, :1]).clamp(min=1e-12)
        to_rest = vh.mT @ (u.mT / limited.unsqueeze(-1))
        displacements: Tensor = (frames - self.project(pose)) @ to_rest.mT
        return displacements

    def add_expression(self, frames: Tensor, pose: OrthographicPose, change: Tensor) -> Tensor:
        """Return frames ``[T, P, D]`` with another expression; exactly the same where the change is 0.

        Args:
            frames: ``[T, P, D]``.
            pose: of the head in the frames.
            change: what is added to the expression, ``[T, P, D]``, in the axes of the resting head.
        """
        return frames + change @ pose.linear.mT

    def repose(self, frames: Tensor, old: OrthographicPose, new: OrthographicPose) -> Tensor:
        """Return frames ``[T, P, D]`` with the head in another pose and the expression retained.

        Args:
            frames: ``[T, P, D]``.
            old: pose of the head in the frames.
            new: pose of the head in the result.
        """
        expression: Tensor = self.expression(frames, old) @ new.linear.mT
        return self.project(new) + expression

    def _resting_shape(self, mean_head: Tensor | None) -> Tensor:
        centered = self.resting_pose - self.resting_pose[self.skull].mean(dim=0)
        if self.dims == 3:
            return centered
        if mean_head is None:  # a flat head: its pose is a rotation in the plane, and it never foreshortens
            return functional.pad(centered, (0, 1))
        mean_head = mean_head.double() - mean_head[self.skull].double().mean(dim=0)
        # The mean head, turned as the reference is, gives the depth; x and y stay those of the reference.
        pose = fit_orthographic_pose(mean_head[self.skull], self.resting_pose[None, self.skull])
        depth = pose.scale * (mean_head @ pose.rotation[0].T)[:, 2]
        return torch.cat([centered, depth[:, None]], dim=1)
