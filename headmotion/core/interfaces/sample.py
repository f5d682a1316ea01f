"""Sample: the input of discriminators and losses. Real and generated samples have the same form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor

from ..audio_context import steps_between
from ..errors import OutputError
from ..short_repr import fields_repr
from .tracks import TRACKS as TRACKS
from .tracks import Track as Track


class Outputs(dict[str, Tensor]):
    """Named tensors that a trained part returns besides its track. Reading one that is missing is an `OutputError`."""

    def __missing__(self, name: str) -> Tensor:
        got = f"only {', '.join(map(repr, self))}" if self else "none"
        remedy = "only generated samples have outputs, those that the trained part returns"
        raise OutputError("outputs of a sample", f"{name!r}, which a loss or discriminator reads", got, remedy)


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
    """Motion, ``[B, T, P, D]``."""
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
    audio_after: Tensor | None = None
    """Features of the frames after the motion, ``[B, steps_per_frame * n, C]``, if parts use them; see
    `audio_around`."""
    outputs: Mapping[str, Tensor] = field(default_factory=Outputs)
    """What a trained part returned besides its track, by name, such as a renderer's attention map; only generated
    samples have some. The shapes are those that the part documents."""

    __repr__ = fields_repr

    def __post_init__(self) -> None:
        if not isinstance(self.outputs, Outputs):
            object.__setattr__(self, "outputs", Outputs(self.outputs))

    def audio_around(self, before: int, after: int) -> Tensor:
        """Return features of the motion's frames and of neighbors, ``[B, steps_per_frame * (before + T + after), C]``.

        The sample holds as many neighbors as the reference has frames, and after the motion those that a part's
        ``audio_context`` asked for. Where it holds fewer, its first or last step is repeated.

        Args:
            before: number of frames before the motion.
            after: number of frames after it.
        """
        reference, frames = self.reference.shape[1], self.motion.shape[1]
        per_frame = self.audio.shape[1] // (reference + frames)
        known = self.audio if self.audio_after is None else torch.cat([self.audio, self.audio_after], dim=1)
        return steps_between(known, (reference - before) * per_frame, (reference + frames + after) * per_frame)

    def detached(self) -> Sample:
        """Return the sample without gradients."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        tensors: dict[str, Any] = {name: value.detach() for name, value in values.items() if isinstance(value, Tensor)}
        detached = {name: value.detach() for name, value in self.outputs.items()}
        return replace(self, **tensors, outputs=detached)
