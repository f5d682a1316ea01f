"""Controls of the head as a whole: how much it moves, whether it moves, and where it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.errors import MotionError
from ..geometry.rigid_fit import OrthographicPose
from ..geometry.rotations import matrix_to_rotation_vector, rotation_vector_to_matrix
from .control import FrameControl, Setting, in_range
from .head_pose import Head, looking

NECK = (1.0, 1.0)
"""Where the head turns, from the middle of the scale pair (outer eye corners): below and behind, in its distances."""


@dataclass(frozen=True)
class ScaleHead(FrameControl):
    """More or less head motion: rotation, shift and size relative to the reference; lips, lids and brows are kept."""

    amount: float
    """0 holds the head still, 1 changes nothing, 2 doubles its motion."""

    def __post_init__(self) -> None:
        in_range("scale_head", "amount", self.amount, 0, 10)

    def editor(self, setting: Setting) -> Callable[[Tensor], Tensor]:
        """Scale the pose of each frame."""
        head = Head(setting, "scale_head")
        home = head.rest[head.skull].mean(dim=0)

        def edit(frames: Tensor) -> Tensor:
            old = head.find(frames)
            turn = rotation_vector_to_matrix(self.amount * matrix_to_rotation_vector(old.rotation))
            new = OrthographicPose(turn, old.scale**self.amount, home + self.amount * (old.center - home))
            return head.repose(frames, old, new)

        return _same if self.amount == 1 else edit


@dataclass(frozen=True)
class HoldPose(FrameControl):
    """The head exactly still: the skull's points stay those of the reference; lips, jaw, lids and brows move."""

    def editor(self, setting: Setting) -> Callable[[Tensor], Tensor]:
        """Put each frame into the pose of the reference."""
        head = Head(setting, "hold_pose")

        def edit(frames: Tensor) -> Tensor:
            moved = head.rest + head.expression(frames, head.find(frames))
            moved[:, head.held] = head.rest[head.held]
            return moved

        return edit


@dataclass(frozen=True)
class LookAt(FrameControl):
    """The head turned to look elsewhere, its motion kept.

    The turn is relative to the reference and goes about the neck, by the depth of a mean head where the motion has
    none, so that the far side foreshortens and the nose leads.
    """

    yaw: float
    """Degrees towards the right edge of the picture."""
    pitch: float = 0.0
    """Degrees towards the upper edge of the picture."""

    def __post_init__(self) -> None:
        in_range("look_at", "yaw", self.yaw, -60, 60)
        in_range("look_at", "pitch", self.pitch, -60, 60)

    def editor(self, setting: Setting) -> Callable[[Tensor], Tensor]:
        """Turn the head of each frame.

        Raises:
            MotionError: besides missing groups, a representation without depth that has no sibling with ``dims`` 3.
        """
        head = Head(setting, "look_at")
        if not head.has_depth:
            raise MotionError("look_at", "a representation whose spec takes dims 3", head.name)
        look = looking(self.yaw, self.pitch)
        neck = _neck(head, setting)

        def edit(frames: Tensor) -> Tensor:
            old = head.find(frames)
            turn = look @ old.rotation
            slide = old.scale[:, None] * ((old.rotation - turn) @ neck)
            return head.repose(frames, old, OrthographicPose(turn, old.scale, old.center + slide[:, : head.dims]))

        return _same if self.yaw == self.pitch == 0 else edit


def _neck(head: Head, setting: Setting) -> Tensor:
    left, right = setting.representation.scale_pair
    below, behind = NECK
    eyes = (head.shape[left] + head.shape[right]) / 2
    down = torch.nn.functional.pad(head.down[:2], (0, 1))
    return eyes + head.size * (below * down + behind * torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))


def _same(frames: Tensor) -> Tensor:
    return frames
