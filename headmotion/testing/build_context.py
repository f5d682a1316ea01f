"""What is checked: a spec beside the neighbors that it is built with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..core.interfaces.specs import BuildContext, ComponentSpec
from ..core.interfaces.syncer import Syncer
from ..sync.pyramid import Pyramid
from ..sync.syncer_pyramid import SyncerPyramid, UsesSyncers


@dataclass(frozen=True)
class Subject:
    """A spec and its neighbors."""

    spec: ComponentSpec
    context: BuildContext

    def build(self, seed: int = 0) -> Any:
        """The component with fresh weights drawn from ``seed``, in evaluation mode; losses are given their syncers."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            part = self.spec.build(self.context).eval()
        if isinstance(part, UsesSyncers):
            part.use_syncers(SyncerPyramid([_Projection(self) for _ in range(2)], Pyramid(2, 7, 2)))
        return part


class _Projection(Syncer):
    """A syncer that has learned nothing: fixed random projections of both windows."""

    window = 5

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject.spec)
        context, chance = subject.context, torch.Generator().manual_seed(11)
        it, steps = context.representation, self.window * context.steps_per_frame
        self.register_buffer("seen", torch.randn(self.window * it.points * it.dims, 8, generator=chance))
        self.register_buffer("heard", torch.randn(steps * context.audio_channels, 8, generator=chance))

    def embed_audio(self, audio: Tensor) -> Tensor:
        """Audio windows ``[B, 4*w, C]`` to embeddings ``[B, 8]``."""
        return audio.flatten(1) @ self.get_buffer("heard")

    def embed_motion(self, motion: Tensor) -> Tensor:
        """Motion windows ``[B, w, P, D]`` to embeddings ``[B, 8]``."""
        return motion.flatten(1) @ self.get_buffer("seen")
