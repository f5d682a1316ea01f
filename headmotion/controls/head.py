"""Controls of the head: how much it moves, whether it moves, and in which direction it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..core.errors import MotionError
from ..geometry.rigid_fit import OrthographicPose
from ..geometry.rotations import axis_rotation, matrix_to_rotation_vector, rotation_vector_to_matrix
from .control import ControlContext, FrameControl, check_fields
from .head_pose import HeadModel
from .specs import LookAtSpec, ScaleHeadSpec

NECK = (1.0, 1.0)
"""Pivot of the head: how far below and behind the middle of the scale pair (outer eye corners), in its distances."""


@dataclass(frozen=True)
class ScaleHead(FrameControl):
    """More or less head motion: rotation, shift and size relative to the reference; the expression is retained."""

    amount: float
    """0 holds the head still, 1 changes nothing, 2 doubles its motion."""

    def __post_init__(self) -> None:
        check_fields(self, ScaleHeadSpec)

    def make_edit(self, context: ControlContext) -> Callable[[Tensor], Tensor]:
        """Return the edit that scales the pose of each frame."""
        head = HeadModel(context, "scale_head")
        home = head.resting_pose[head.skull].mean(dim=0)

        def edit(frames: Tensor) -> Tensor:
            old = head.fit(frames)
            rotation = rotation_vector_to_matrix(self.amount * matrix_to_rotation_vector(old.rotation))
            # Scales multiply, so an amount is an exponent; shifts add, so it is a factor.
            new = OrthographicPose(rotation, old.scale**self.amount, home + self.amount * (old.center - home))
            return head.repose(frames, old, new)

        # Decomposing and composing a pose would change the last bits.
        return _identity if self.amount == 1 else edit


@dataclass(frozen=True)
class HoldPose(FrameControl):
    """The head held exactly still: the skull's points stay those of the reference; lips, jaw, lids and brows move."""

    def make_edit(self, context: ControlContext) -> Callable[[Tensor], Tensor]:
        """Return the edit that moves each frame into the pose of the reference."""
        head = HeadModel(context, "hold_pose")

        def edit(frames: Tensor) -> Tensor:
            frontal = head.resting_pose + head.expression(frames, head.fit(frames))
            # The rigid points also have noise and deformation beyond the pose, which would remain.
            frontal[:, head.rigid_points] = head.resting_pose[head.rigid_points]
            return frontal

        return edit


@dataclass(frozen=True)
class LookAt(FrameControl):
    """The head turned to look in another direction, its motion retained.

    The turn is relative to the reference and about the neck. Where the motion has no depth, that of a mean head makes
    the far side foreshorten and the nose lead.
    """

    yaw: float
    """Degrees towards the right edge of the picture."""
    pitch: float = 0.0
    """Degrees towards the upper edge of the picture."""

    def __post_init__(self) -> None:
        check_fields(self, LookAtSpec)

    def make_edit(self, context: ControlContext) -> Callable[[Tensor], Tensor]:
        """Return the edit that turns the head in each frame.

        Raises:
            MotionError: besides missing groups, a representation without depth that has no sibling with ``dims`` 3.
        """
        head = HeadModel(context, "look_at")
        if not head.has_depth:
            raise MotionError("look_at", "a representation whose spec takes dims 3", head.name)
        # Axes are x right, y down, z away, so a right-handed rotation about y turns the face to the left.
        about_y, about_x = torch.deg2rad(torch.tensor([-self.yaw, -self.pitch], dtype=torch.float64))
        look = axis_rotation(1, about_y) @ axis_rotation(0, about_x)
        neck = _neck(head, context)

        def edit(frames: Tensor) -> Tensor:
            old = head.fit(frames)
            rotation = look @ old.rotation
            # The neck stays in place, so the center of the skull moves.
            shift = old.scale[:, None] * ((old.rotation - rotation) @ neck)
            return head.repose(frames, old, OrthographicPose(rotation, old.scale, old.center + shift[:, : head.dims]))

        return _identity if self.yaw == self.pitch == 0 else edit


def _neck(head: HeadModel, context: ControlContext) -> Tensor:
    """Return the pivot ``[3]`` in the axes of the resting head."""
    left, right = context.representation.scale_pair
    below, behind = NECK
    eyes = (head.shape[left] + head.shape[right]) / 2
    down = functional.pad(head.down[:2], (0, 1))
    return eyes + head.size * (below * down + behind * torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))


def _identity(frames: Tensor) -> Tensor:
    return frames
