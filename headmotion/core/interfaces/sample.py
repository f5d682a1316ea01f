"""Sample: what discriminators and losses look at. A real one and a generated one look alike."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .tracks import TRACKS as TRACKS
from .tracks import Track as Track


@dataclass(frozen=True)
class Sample:
    """Recorded or generated clips of a batch, on one device.

    Motion is in the unit frame. Pictures are RGB from 0 to 1. In *picture coordinates* the picture's longer edge is
    0..1: ``representation.normalize(pixels, UnitSquare(W / 2, H / 2, max(W, H)))``; numbers that are no positions stay
    as they are. The fields behind a `Track` are there if a part of the phase needs it, and None otherwise: ``frames``
    fills `frames`, `identity`, `identity_pose` and `picture_motion`.
    """

    reference: Tensor
    """Real frames before the motion, ``[B, R, P, D]``."""
    motion: Tensor
    """Frames to look at, ``[B, T, P, D]``."""
    audio: Tensor
    """Features of reference and motion, ``[B, steps_per_frame * (R + T), C]``."""
    frames: Tensor | None = None
    """A picture per frame of the motion, ``[B, T, 3, H, W]``."""
    identity: Tensor | None = None
    """A picture of the same person in the same clip, where possible none of `frames`, ``[B, 3, H, W]``."""
    identity_pose: Tensor | None = None
    """Pose in `identity`, ``[B, P, D]`` in picture coordinates."""
    picture_motion: Tensor | None = None
    """The motion of `frames` in picture coordinates, ``[B, T, P, D]``."""
    labels: Tensor | None = None
    """Numbers of the corpus per frame of the motion, ``[B, T, N]``."""
    wave: Tensor | None = None
    """Sound of reference and motion at the encoder's rate, ``[B, S]`` in -1..1."""
