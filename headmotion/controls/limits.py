"""Poses that people do not take, brought back into the range that they do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..geometry.rotations import matrix_to_rotation_vector, rotation_vector_to_matrix
from .control import FrameControl, Setting, in_range
from .head_pose import Head
from .mouth import Mouth

FREE = 2 / 3
"""Part of each limit up to which nothing changes."""


@dataclass(frozen=True)
class Limit(FrameControl):
    """Openings and head angles within what is seen in people.

    Up to two thirds of a limit nothing changes; beyond, the value approaches the limit smoothly and never passes it. In
    49 clips of talking people (HDTF, VoxCeleb2, MEAD, GRID, VidTIMIT, LRS3) mouths open up to 0.40 and eyes up to 0.13
    outer-eye distances, and heads turn through up to 45, 27 and 26 degrees (yaw, pitch, roll). A reference that is wide
    open itself raises the limit to one and a half times its own opening. Lips and lids do not cross.
    """

    mouth: float = 0.6
    """Opening of the mouth, in distances of the scale pair (outer eye corners)."""
    eye: float = 0.2
    """Opening of an eye, in the same."""
    yaw: float = 65.0
    """Degrees to either side, relative to the reference; so for the next two."""
    pitch: float = 40.0
    """Degrees up and down."""
    roll: float = 40.0
    """Degrees to either shoulder."""

    def __post_init__(self) -> None:
        for name in ("mouth", "eye"):
            in_range("limit", name, getattr(self, name), 0.01, 2)
        for name in ("yaw", "pitch", "roll"):
            in_range("limit", name, getattr(self, name), 1, 90)

    def editor(self, setting: Setting) -> Callable[[Tensor], Tensor]:
        """Limit each frame: head, then mouth, then eyes."""
        mouth = Mouth(setting, "limit")
        head = mouth.head
        angles = torch.tensor([math.radians(a) for a in (self.pitch, self.yaw, self.roll)], dtype=torch.float64)
        eyes = [name for name in setting.representation.openings if name.endswith("eye")]
        pairs = setting.pairs("limit", *eyes)

        def edit(frames: Tensor) -> Tensor:
            frames = _limited_head(head, frames, angles)
            frames = _limited_mouth(mouth, frames, self.mouth * head.size)
            return _limited_lids(head, frames, pairs, self.eye * head.size)

        return edit


def soft_limit(value: Tensor, limit: Tensor) -> Tensor:
    """``value`` itself up to `FREE` of the limit on either side of 0, then ever closer to the limit."""
    room = (1 - FREE) * limit
    over = (value.abs() - FREE * limit).clamp(min=0)
    return torch.where(over > 0, value.sign() * (FREE * limit + room * torch.tanh(over / room)), value)


def _limited_head(head: Head, frames: Tensor, angles: Tensor) -> Tensor:
    pose = head.find(frames)
    vector = matrix_to_rotation_vector(pose.rotation)
    limited = soft_limit(vector, angles)
    reposed = head.repose(frames, pose, replace(pose, rotation=rotation_vector_to_matrix(limited)))
    return torch.where((limited != vector).any(dim=1)[:, None, None], reposed, frames)


def _limited_mouth(mouth: Mouth, frames: Tensor, limit: float) -> Tensor:
    opening = mouth.opening(mouth.head.expression(frames, mouth.head.find(frames)))
    highest = torch.clamp(mouth.at_rest / FREE, min=limit)
    limited = soft_limit(opening, highest)
    too_far = opening > FREE * highest
    gain = torch.where(too_far, (limited - mouth.at_rest) / (opening - mouth.at_rest), torch.ones_like(opening))
    return mouth.scale(frames, gain)


def _limited_lids(head: Head, frames: Tensor, pairs: tuple[tuple[int, int], ...], limit: float) -> Tensor:
    upper, lower = ([pair[side] for pair in pairs] for side in (0, 1))
    pose = head.find(frames)
    expression = head.expression(frames, pose)
    rest = (head.rest[lower] - head.rest[upper]) @ head.down
    opening = rest + (expression[:, lower] - expression[:, upper]) @ head.down
    limited = soft_limit(opening.clamp(min=0), torch.clamp(rest / FREE, min=limit))
    change = torch.zeros_like(frames)
    change[:, upper] = (opening - limited)[..., None] * head.down
    return head.shift(frames, pose, change)
