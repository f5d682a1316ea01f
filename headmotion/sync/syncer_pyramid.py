"""Pyramid of syncers: one object that is loss, metric and data filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from ..core.errors import OutputError
from ..core.interfaces.syncer import Syncer
from ..core.outputs import REMEDY, checked_embeddings
from ..core.short_repr import module_repr, shown
from .av_offset import MAX_SHIFT, DistanceCurve, best_shift, valid_pairs
from .pyramid import Pyramid, windows
from .specs import Space


@dataclass(frozen=True)
class SyncMeasure:
    """Offset and confidence of one clip at one level."""

    offset: int
    """Frames of the level by which audio and motion are shifted; negative if the audio is late."""
    confidence: float
    """Median minus minimum of the mean distance over all shifts; 0 if no shift stands out."""
    seconds: float
    """The offset in seconds."""


class SyncerPyramid(nn.Module):
    """One syncer per level of a `Pyramid`: the same object is loss, metric and data filter.

    Audio has ``steps_per_frame`` steps per motion frame at every level. Source: MS-Sync, eqs. 3 to 5.

    Args:
        syncers: one per level, the finest first, all with the same window.
        pyramid: the levels.
        steps_per_frame: audio steps per motion frame.
    """

    def __init__(self, syncers: Sequence[Syncer], pyramid: Pyramid, steps_per_frame: int = 4) -> None:
        super().__init__()
        if len(syncers) != pyramid.levels or len({syncer.window for syncer in syncers}) != 1:
            raise ValueError(f"{pyramid.levels} syncers of one window are needed, got {len(syncers)}")
        self.syncers = nn.ModuleList(syncers)
        self.pyramid = pyramid
        self.window = syncers[0].window
        self.steps_per_frame = steps_per_frame

    @override
    def __repr__(self) -> str:
        return module_repr(self, f"{len(self.syncers)} levels, windows of {self.window} frames")

    @property
    def levels(self) -> list[Syncer]:
        """The syncers, finest level first."""
        return cast("list[Syncer]", list(self.syncers))

    def finest(self, levels: int) -> SyncerPyramid:
        """Return a pyramid that shares the syncers of the ``levels`` finest levels, or of all if there are fewer."""
        count = min(levels, self.pyramid.levels)
        return SyncerPyramid(self.levels[:count], replace(self.pyramid, levels=count), self.steps_per_frame)

    def embeddings(self, motion: Tensor, audio: Tensor, hop: int = 1) -> list[tuple[Tensor, Tensor]]:
        """Embed all windows of motion and audio.

        Args:
            motion: frames ``[B, T, P, D]`` of the unit frame.
            audio: features ``[B, steps_per_frame * T, C]``.
            hop: frames of a level from one window to the next.

        Returns:
            Per level ``(motion, audio)``, each ``[B, W_l, E]``; levels shorter than a window are left out.
        """
        result = []
        # Levels get shorter, so once one is too short, all coarser ones are.
        for syncer, (m, a) in zip(self.levels, self.pyramid.pair(motion, audio, self.steps_per_frame), strict=True):
            if m.shape[1] < self.window:
                break
            motion_windows = windows(m, self.window, hop)
            audio_windows = windows(a, self.window * self.steps_per_frame, hop * self.steps_per_frame)
            embedded = embed_pairs(syncer, motion_windows.flatten(0, 1), audio_windows.flatten(0, 1))
            result.append((_per_clip(embedded[0], len(m)), _per_clip(embedded[1], len(a))))
        return result

    def motion_embeddings(self, motion: Tensor, hop: int = 1) -> list[Tensor]:
        """Embed all windows of motion ``[B, T, P, D]``; the motion part of `embeddings`, which needs no audio."""
        levels = zip(self.levels, self.pyramid(motion), strict=True)
        long_enough = [(syncer, m) for syncer, m in levels if m.shape[1] >= self.window]
        return [
            _per_clip(embed(syncer, "embed_motion", windows(m, self.window, hop).flatten(0, 1)), len(m))
            for syncer, m in long_enough
        ]

    def scores(self, motion: Tensor, audio: Tensor, hop: int = 1) -> list[Tensor]:
        """Return the cosine of each window per level, ``[B, W_l]`` in -1..1; arguments as in `embeddings`.

        Source: MS-Sync, eq. 3.
        """
        return [(project(m, "unit") * project(a, "unit")).sum(-1) for m, a in self.embeddings(motion, audio, hop)]

    def forward(self, motion: Tensor, audio: Tensor, hop: int = 1) -> Tensor:
        """Return the guidance loss: minus the mean cosine, averaged over levels; arguments as in `embeddings`.

        Source: MS-Sync, eq. 4.

        Raises:
            ValueError: motion shorter than a window.
        """
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
        max_shift: int = MAX_SHIFT,
    ) -> list[Tensor]:
        """Return the mean distance at each shift per level, ``[B, 2 * V_l + 1]``.

        Args:
            motion: frames ``[B, T, P, D]`` of the unit frame.
            audio: features ``[B, steps_per_frame * T, C]``.
            space: how embeddings are compared.
            curve: how distances are averaged.
            max_shift: largest shift, in frames of a level.
        """
        embedded = self.embeddings(motion, audio)
        return [curve(project(m, space), project(a, space), max_shift) for m, a in embedded]

    def measure(self, motion: Tensor, audio: Tensor, fps: float = 25.0) -> list[SyncMeasure]:
        """Measure offset and confidence per level of one clip.

        Distances are those of unit-length embeddings, so confidences are comparable whatever the training.

        Args:
            motion: frames ``[1, T, P, D]`` of the unit frame.
            audio: features ``[1, steps_per_frame * T, C]``.
            fps: motion frames per second.
        """
        result = []
        for level, curve in enumerate(self.curves(motion, audio)):
            offset, _, confidence = (value.item() for value in best_shift(curve[0]))
            result.append(SyncMeasure(int(offset), confidence, offset * self.pyramid.stride**level / fps))
        return result


def project(embeddings: Tensor, space: Space) -> Tensor:
    """Map embeddings ``[..., E]`` into the space in which they are compared."""
    return functional.normalize(embeddings, dim=-1) if space == "unit" else embeddings


def embed(syncer: Syncer, method: Literal["embed_motion", "embed_audio"], window_batch: Tensor) -> Tensor:
    """Embed windows ``[n, ...]`` as ``[n, E]``.

    Raises:
        OutputError: the syncer returns something else.
    """
    embeddings = getattr(syncer, method)(window_batch)
    return checked_embeddings(syncer, embeddings, len(window_batch), method, window_batch.device)


def embed_pairs(syncer: Syncer, motion_windows: Tensor, audio_windows: Tensor) -> tuple[Tensor, Tensor]:
    """Embed windows of motion and the windows of audio that belong to them, each ``[n, ...]``, as ``[n, E]``.

    Raises:
        OutputError: the syncer returns something else, or embeddings of two sizes.
    """
    motion, audio = embed(syncer, "embed_motion", motion_windows), embed(syncer, "embed_audio", audio_windows)
    if audio.shape[1] != motion.shape[1]:
        name, expected = f"syncer {syncer.spec.type_name()}", f"embed_audio to return embeddings {list(motion.shape)}"
        raise OutputError(name, f"{expected}, as of motion", shown(audio), REMEDY)
    return motion, audio


def _per_clip(embeddings: Tensor, batch: int) -> Tensor:
    return embeddings.reshape(batch, len(embeddings) // batch, -1)
