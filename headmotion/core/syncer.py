"""Syncer: synchrony of audio and motion, and the pyramid of syncers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from .component import Component
from .pyramid import Pyramid, windows


class Syncer(Component):
    """Embeds windows of audio and of motion into one space; their score is the cosine."""

    window: int
    """Motion frames per window, ``w``."""

    @abstractmethod
    def embed_audio(self, audio: Tensor) -> Tensor:
        """Audio windows ``[B, 4*w, C]`` to embeddings ``[B, E]``."""

    @abstractmethod
    def embed_motion(self, motion: Tensor) -> Tensor:
        """Motion windows ``[B, w, P, D]`` of the unit frame to embeddings ``[B, E]``."""


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
        """Unit-length embeddings of motion ``[B, T, P, D]`` and audio ``[B, 4*T, C]``, in windows ``hop`` frames apart.

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

    def scores(self, motion: Tensor, audio: Tensor, hop: int = 1) -> list[Tensor]:
        """Cosine of each window per level, ``[B, W_l]`` in -1..1. Source: MS-Sync, eq. 3."""
        return [(m * a).sum(-1) for m, a in self.embeddings(motion, audio, hop)]

    def forward(self, motion: Tensor, audio: Tensor, hop: int = 1) -> Tensor:
        """Guidance loss: minus the mean cosine, averaged over levels. Source: MS-Sync, eq. 4."""
        levels = self.scores(motion, audio, hop)
        if not levels:
            raise ValueError(f"motion of at least {self.window} frames is needed, got {motion.shape[1]}")
        return -torch.stack([level.mean() for level in levels]).mean()

    @torch.no_grad()
    def measure(self, motion: Tensor, audio: Tensor, fps: float = 25.0) -> list[SyncMeasure]:
        """Offset and confidence per level of one clip, motion ``[1, T, P, D]`` and audio ``[1, 4*T, C]``."""
        result = []
        for level, (m, a) in enumerate(self.embeddings(motion, audio)):
            offset, confidence = offset_and_confidence(m[0], a[0])
            result.append(SyncMeasure(offset, confidence, offset * self.pyramid.stride**level / fps))
        return result


def offset_and_confidence(motion: Tensor, audio: Tensor, reach: int | None = None) -> tuple[int, float]:
    """Shift of the least mean distance between window embeddings ``[W, E]``, and how much it stands out.

    Args:
        reach: largest shift in windows; None means ``min(15, W // 2)``. Only overlapping windows are averaged.

    Returns:
        ``(offset, confidence)``: minus the best shift of the audio (negative: audio late), and median minus minimum
        of the distance curve. Source: SyncNet (Chung and Zisserman 2016), as used by MS-Sync's AV-Offset and AV-Conf.
    """
    count = len(motion)
    reach = min(15, count // 2) if reach is None else reach
    distance = torch.cdist(motion, audio)
    shifts = range(-reach, reach + 1)
    curve = torch.stack([distance.diagonal(shift).mean() for shift in shifts])
    best = int(curve.argmin())
    return -shifts[best], float(curve.median() - curve[best])


def _embed(network: Callable[[Tensor], Tensor], every: Tensor) -> Tensor:
    batch, count = every.shape[:2]
    embedding = network(every.flatten(0, 1))
    return functional.normalize(embedding, dim=-1).reshape(batch, count, -1)
