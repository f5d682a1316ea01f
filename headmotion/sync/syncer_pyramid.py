"""Pyramid of syncers: one object that is loss, metric and data filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.interfaces.syncer import Syncer
from .av_offset import REACH, DistanceCurve, best_shift, valid_pairs
from .pyramid import Pyramid, windows

Space = Literal["unit", "free"]
"""How embeddings are compared: ``unit``, brought to unit length, for syncers trained by cosines; ``free``, as they are,
for those trained by distances."""


@dataclass(frozen=True)
class SyncMeasure:
    """Offset and confidence of one clip at one level."""

    offset: int
    """Frames of the level by which audio and motion are apart; negative: the audio is late."""
    confidence: float
    """Median minus minimum of the mean distance over all shifts; 0 means that no shift stands out."""
    seconds: float
    """The offset in seconds."""


class SyncerPyramid(nn.Module):
    """One syncer per level of a `Pyramid`: the same object is loss, metric and data filter.

    Audio has ``steps_per_frame`` steps per motion frame at every level. Source: MS-Sync, eqs. 3 to 5.
    """

    def __init__(self, syncers: Sequence[Syncer], pyramid: Pyramid, steps_per_frame: int = 4) -> None:
        super().__init__()
        if len(syncers) != pyramid.levels or len({each.window for each in syncers}) != 1:
            raise ValueError(f"{pyramid.levels} syncers of one window are needed, got {len(syncers)}")
        self.syncers = nn.ModuleList(syncers)
        self.pyramid = pyramid
        self.window = syncers[0].window
        self.steps_per_frame = steps_per_frame

    @property
    def levels(self) -> list[Syncer]:
        """The syncers, finest level first."""
        return cast("list[Syncer]", list(self.syncers))

    def finest(self, levels: int) -> SyncerPyramid:
        """A pyramid of the same syncers, of which only so many of the finest take part; all of them, if fewer."""
        kept = min(levels, self.pyramid.levels)
        return SyncerPyramid(self.levels[:kept], replace(self.pyramid, levels=kept), self.steps_per_frame)

    def embeddings(self, motion: Tensor, audio: Tensor, hop: int = 1) -> list[tuple[Tensor, Tensor]]:
        """Embeddings of motion ``[B, T, P, D]`` and audio ``[B, 4*T, C]``, in windows ``hop`` frames apart.

        Returns:
            Per level ``(motion, audio)``, each ``[B, W_l, E]``; levels with no whole window are left out.
        """
        result = []
        for syncer, (m, a) in zip(self.levels, self.pyramid.pair(motion, audio, self.steps_per_frame), strict=True):
            if m.shape[1] < self.window:
                break
            motion_windows = windows(m, self.window, hop)
            audio_windows = windows(a, self.window * self.steps_per_frame, hop * self.steps_per_frame)
            result.append((_embed(syncer.embed_motion, motion_windows), _embed(syncer.embed_audio, audio_windows)))
        return result

    def motion_embeddings(self, motion: Tensor, hop: int = 1) -> list[Tensor]:
        """The motion's part of `embeddings` ``[B, W_l, E]``, for which no audio is needed."""
        levels = zip(self.levels, self.pyramid(motion), strict=True)
        long_enough = [(syncer, m) for syncer, m in levels if m.shape[1] >= self.window]
        return [_embed(syncer.embed_motion, windows(m, self.window, hop)) for syncer, m in long_enough]

    def scores(self, motion: Tensor, audio: Tensor, hop: int = 1) -> list[Tensor]:
        """Cosine of each window per level, ``[B, W_l]`` in -1..1. Source: MS-Sync, eq. 3."""
        return [(placed(m, "unit") * placed(a, "unit")).sum(-1) for m, a in self.embeddings(motion, audio, hop)]

    def forward(self, motion: Tensor, audio: Tensor, hop: int = 1) -> Tensor:
        """Guidance loss: minus the mean cosine, averaged over levels. Source: MS-Sync, eq. 4."""
        levels = self.scores(motion, audio, hop)
        if not levels:
            raise ValueError(f"motion of at least {self.window} frames is needed, got {motion.shape[1]}")
        return -torch.stack([level.mean() for level in levels]).mean()

    @torch.no_grad()
    def curves(
        self,
        motion: Tensor,
        audio: Tensor,
        space: Space = "unit",
        curve: DistanceCurve = valid_pairs,
        reach: int = REACH,
    ) -> list[Tensor]:
        """Mean distance at each shift, ``[B, 2 * V_l + 1]`` per level, of motion ``[B, T, P, D]`` and its audio."""
        embedded = self.embeddings(motion, audio)
        return [curve(placed(m, space), placed(a, space), reach) for m, a in embedded]

    def measure(self, motion: Tensor, audio: Tensor, fps: float = 25.0) -> list[SyncMeasure]:
        """Offset and confidence per level of one clip, motion ``[1, T, P, D]`` and audio ``[1, 4*T, C]``.

        Distances are those of unit-length embeddings, so that a confidence means the same whatever the training.
        """
        result = []
        for level, curve in enumerate(self.curves(motion, audio)):
            offset, _, confidence = (each.item() for each in best_shift(curve[0]))
            result.append(SyncMeasure(int(offset), confidence, offset * self.pyramid.stride**level / fps))
        return result


def placed(embeddings: Tensor, space: Space) -> Tensor:
    """Embeddings ``[..., E]`` as they are compared in a space."""
    return functional.normalize(embeddings, dim=-1) if space == "unit" else embeddings


def _embed(network: Callable[[Tensor], Tensor], every: Tensor) -> Tensor:
    batch, count = every.shape[:2]
    return network(every.flatten(0, 1)).reshape(batch, count, -1)


@runtime_checkable
class UsesSyncers(Protocol):
    """A loss that judges by the trained syncers of the run."""

    def use_syncers(self, syncers: SyncerPyramid) -> None:
        """Take the run's syncers, frozen."""
