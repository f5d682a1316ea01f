"""A spec under test, with the neighbors that it is built with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..core.built import checked_part
from ..core.component import Component
from ..core.interfaces.phase import UsesParts
from ..core.interfaces.representation import Representation, SupportsFitting
from ..core.interfaces.specs import BuildContext, ComponentSpec, resolve_spec
from ..core.interfaces.syncer import Syncer
from ..sync.pyramid import Pyramid
from ..sync.syncer_pyramid import SyncerPyramid


@dataclass(frozen=True)
class Subject:
    """A spec under test and the context in which it is built."""

    spec: ComponentSpec
    context: BuildContext
    parts: Mapping[str, Any] = field(default_factory=dict)
    """What earlier phases would have made, by name; syncers are given where it says nothing."""

    def build(self, seed: int = 0) -> Any:
        """Return the part in evaluation mode, with fresh weights and what it uses of earlier phases.

        Bases of fitted representations are fitted.

        Args:
            seed: of the weights.
        """
        # Initial weights come from the global random state, which is restored afterwards.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            part = checked_part(self.spec, self.spec.build(self.context)).eval()
            fit_if_needed(part, seed)
        if isinstance(part, UsesParts):
            parts = self.parts
            part.use_parts({name: parts[name] if name in parts else stand_in_syncers(self) for name in part.uses})
        return part


def fit_if_needed(part: Component, seed: int = 0) -> None:
    """Fit a representation that needs it to noisy resting poses."""
    if isinstance(part, SupportsFitting) and not part.fitted:
        part.fit(iter(source_motions(resolve_spec("representation", part.fit_source).build(), 8, seed)))


def source_motions(source: Representation, clips: int, seed: int = 0) -> list[Tensor]:
    """Return noisy resting poses ``[20, P, D]`` of the unit frame, one motion per clip."""
    rng, neutral = torch.Generator().manual_seed(100 + seed), source.neutral()
    return [neutral + 0.01 * torch.randn(20, *neutral.shape, generator=rng) for _ in range(clips)]


def stand_in_syncers(subject: Subject) -> SyncerPyramid:
    """Return fixed syncers: any do, because checks ask for shapes and gradients and not for quality."""
    levels = [_RandomProjection(subject) for _ in range(2)]
    return SyncerPyramid(levels, Pyramid(2, 7, 2), subject.context.steps_per_frame)


class _RandomProjection(Syncer):
    """An untrained syncer: fixed random projections of both windows."""

    window = 5

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject.spec)
        context, rng = subject.context, torch.Generator().manual_seed(11)
        representation, steps = context.representation, self.window * context.steps_per_frame
        motion_size = self.window * representation.points * representation.dims
        self.register_buffer("motion_weights", torch.randn(motion_size, 8, generator=rng))
        self.register_buffer("audio_weights", torch.randn(steps * context.audio_channels, 8, generator=rng))

    def embed_audio(self, audio: Tensor) -> Tensor:
        """Return the embeddings ``[B, 8]`` of audio windows ``[B, steps_per_frame * w, C]``."""
        return audio.flatten(1) @ self.get_buffer("audio_weights")

    def embed_motion(self, motion: Tensor) -> Tensor:
        """Return the embeddings ``[B, 8]`` of motion windows ``[B, w, P, D]``."""
        return motion.flatten(1) @ self.get_buffer("motion_weights")
