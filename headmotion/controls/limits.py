"""Limits of openings and head angles to the range of real people."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..geometry.rotations import matrix_to_rotation_vector, rotation_vector_to_matrix
from .control import ControlContext, FrameControl, check_fields
from .head_pose import HeadModel
from .mouth import MouthModel
from .specs import LimitSpec

FREE = 2 / 3
"""Share of each limit up to which nothing changes."""


@dataclass(frozen=True)
class Limit(FrameControl):
    """Openings and head angles within the range of real people.

    Up to two thirds of a limit nothing changes; beyond, the value approaches the limit smoothly and never passes it. In
    49 clips of people who talk (HDTF, VoxCeleb2, MEAD, GRID, VidTIMIT, LRS3) mouths open up to 0.40 and eyes up to 0.13
    outer-eye distances, and heads turn through up to 45, 27 and 26 degrees (yaw, pitch, roll). A reference that is wide
    open itself raises the limit to one and a half times its own opening. Lips and lids do not cross.
    """

    mouth: float = 0.6
    """Opening of the mouth, in distances of the scale pair (outer eye corners)."""
    eye: float = 0.2
    """Opening of an eye, in distances of the scale pair."""
    yaw: float = 65.0
    """Degrees to either side, relative to the reference."""
    pitch: float = 40.0
    """Degrees up and down, relative to the reference."""
    roll: float = 40.0
    """Degrees to either shoulder, relative to the reference."""

    def __post_init__(self) -> None:
        check_fields(self, LimitSpec)

    def make_edit(self, context: ControlContext) -> Callable[[Tensor], Tensor]:
        """Return the edit that limits each frame: the head, then the mouth, then the eyes."""
        mouth = MouthModel(context, "limit")
        head = mouth.head
        # In the order of the rotation vector: about x, y, z.
        angles = torch.tensor([math.radians(a) for a in (self.pitch, self.yaw, self.roll)], dtype=torch.float64)
        eyes = [name for name in context.representation.openings if name.endswith("eye")]
        pairs = context.pairs("limit", *eyes)

        def edit(frames: Tensor) -> Tensor:
            frames = _limit_head(head, frames, angles)
            frames = _limit_mouth(mouth, frames, self.mouth * head.size)
            return _limit_lids(head, frames, pairs, self.eye * head.size)

        return edit


def soft_limit(value: Tensor, limit: Tensor) -> Tensor:
    """Return values within limits: unchanged up to the share `FREE` of the limit, then ever closer to the limit.

    Args:
        value: of any shape and sign.
        limit: above 0, in the unit of the values; its shape broadcasts.
    """
    free, room = FREE * limit, (1 - FREE) * limit
    excess = (value.abs() - free).clamp(min=0)
    return torch.where(excess > 0, value.sign() * (free + room * torch.tanh(excess / room)), value)


def _limit_head(head: HeadModel, frames: Tensor, angles: Tensor) -> Tensor:
    pose = head.fit(frames)
    vector = matrix_to_rotation_vector(pose.rotation)
    limited = soft_limit(vector, angles)
    reposed = head.repose(frames, pose, replace(pose, rotation=rotation_vector_to_matrix(limited)))
    # Frames within the limits stay as they are, to the last bit.
    return torch.where((limited != vector).any(dim=1)[:, None, None], reposed, frames)


def _limit_mouth(mouth: MouthModel, frames: Tensor, limit: float) -> Tensor:
    opening = mouth.opening(mouth.head.expression(frames, mouth.head.fit(frames)))
    resting = mouth.resting_opening
    # A reference with an open mouth must stay within the range that does not change.
    highest = torch.clamp(resting / FREE, min=limit)
    limited = soft_limit(opening, highest)
    gain = torch.where(opening > FREE * highest, (limited - resting) / (opening - resting), torch.ones_like(opening))
    return mouth.scale(frames, gain)


def _limit_lids(head: HeadModel, frames: Tensor, pairs: tuple[tuple[int, int], ...], limit: float) -> Tensor:
    upper, lower = ([pair[side] for pair in pairs] for side in (0, 1))
    pose = head.fit(frames)
    expression = head.expression(frames, pose)
    resting = (head.resting_pose[lower] - head.resting_pose[upper]) @ head.down
    opening = resting + (expression[:, lower] - expression[:, upper]) @ head.down
    # Lids that cross count as closed.
    limited = soft_limit(opening.clamp(min=0), torch.clamp(resting / FREE, min=limit))
    change = torch.zeros_like(frames)
    change[:, upper] = (opening - limited)[..., None] * head.down
    return head.add_expression(frames, pose, change)
