"""Guidance by trained syncers, and the contrastive losses that train them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.loss import Loss
from ..core.interfaces.sample import Sample, Track
from ..sync.syncer_pyramid import SyncerPyramid
from .specs import SyncLossSpec


class SyncLoss(Loss):
    """``weight * SyncerPyramid(motion, audio)`` over the reference frames followed by the generated ones."""

    needs: frozenset[Track] = frozenset({"motion", "audio"})

    def __init__(self, spec: SyncLossSpec) -> None:
        super().__init__(spec)
        self.weight, self.hop, self.levels = spec.weight, spec.hop, spec.levels
        self.uses = (spec.syncers,)
        # In a list, which hides it from `torch.nn.Module`: the syncers are no part of the loss's state.
        self._syncers: list[SyncerPyramid] = []

    def use_parts(self, parts: Mapping[str, Any]) -> None:
        """Take the syncers, which are neither trained nor stored with the loss.

        Raises:
            SpecError: another part than syncers.
        """
        (name,) = self.uses
        syncers = parts[name]
        if not isinstance(syncers, SyncerPyramid):
            raise SpecError("sync loss", f"syncers under the name {name!r}", f"a {type(syncers).__name__}")
        self._syncers = [syncers if self.levels is None else syncers.finest(self.levels)]

    @override
    def forward(self, real: Sample, generated: Sample, step: int) -> Mapping[str, Tensor]:
        (syncers,) = self._syncers
        # Windows across the last reference frame also have to be in sync.
        motion = torch.cat([generated.reference, generated.motion], dim=1)
        return {"sync": self.weight * syncers(motion, generated.audio, self.hop)}


def contrastive_loss(audio: Tensor, motion: Tensor, temperature: float | Tensor = 1.0, margin: float = 0.0) -> Tensor:
    """Return InfoNCE in both directions over groups of windows: ``2 ln N`` at chance. Source: MS-Sync, eq. 2.

    It is the mean cross-entropy over rows plus that over columns.

    Args:
        audio: unit-length embeddings ``[..., N, E]``.
        motion: unit-length embeddings ``[..., N, E]``; row ``i`` belongs to row ``i`` of the audio.
        temperature: divides the cosines; the paper has none (1).
        margin: subtracted from the cosine of each matching pair.
    """
    count = audio.shape[-2]
    logits = audio @ motion.mT
    logits = (logits - margin * torch.eye(count, device=logits.device, dtype=logits.dtype)) / temperature
    groups = rearrange(logits, "... n m -> (...) n m")
    target = torch.arange(count, device=logits.device).expand(len(groups), -1)
    return functional.cross_entropy(groups, target) + functional.cross_entropy(groups.mT, target)


def margin_loss(audio: Tensor, motion: Tensor, margin: float = 10.0) -> Tensor:
    """Return SyncNet's contrastive loss over groups of windows. Source: Chung and Zisserman 2016.

    It is half of the mean squared distance of matching pairs plus the mean squared shortfall of the others to the
    margin.

    Args:
        audio: embeddings ``[..., N, E]`` of any length.
        motion: embeddings ``[..., N, E]``; row ``i`` belongs to row ``i`` of the audio, and the audio of the row before
            is its negative.
        margin: distance that negatives should have at least; MS-Sync's is 10.
    """
    positive = (motion - audio).square().sum(-1)
    negative = (motion - audio.roll(1, -2)).norm(dim=-1)
    return (positive.mean() + functional.relu(margin - negative).square().mean()) / 2


def top1(audio: Tensor, motion: Tensor) -> Tensor:
    """Return the share of windows ``[..., N, E]`` whose own audio is the nearest of the N."""
    nearest = torch.cdist(motion, audio).argmin(-1)
    return (nearest == torch.arange(audio.shape[-2], device=audio.device)).float().mean()
