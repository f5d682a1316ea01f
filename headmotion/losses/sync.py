"""Guidance by syncers, and the contrastive losses that train them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from ..core.interfaces.loss import Loss, LossInput
from ..sync.syncer_pyramid import SyncerPyramid
from .specs import SyncLossSpec


class SyncLoss(Loss):
    """``weight * SyncerPyramid(motion, audio)`` over the reference frames followed by the generated ones."""

    def __init__(self, spec: SyncLossSpec) -> None:
        super().__init__(spec)
        self.weight, self.hop, self.levels = spec.weight, spec.hop, spec.levels
        self._syncers: list[SyncerPyramid] = []

    def use_syncers(self, syncers: SyncerPyramid) -> None:
        """Judge by these syncers; they are not trained and not stored with the loss."""
        self._syncers = [syncers if self.levels is None else syncers.finest(self.levels)]

    @override
    def forward(self, data: LossInput) -> Mapping[str, Tensor]:
        (syncers,) = self._syncers
        motion = torch.cat([data.reference, data.generated], dim=1)
        return {"sync": self.weight * syncers(motion, data.audio, self.hop)}


def contrastive_loss(audio: Tensor, motion: Tensor, temperature: float | Tensor = 1.0, margin: float = 0.0) -> Tensor:
    """InfoNCE in both directions over aligned groups of windows. Source: MS-Sync, eq. 2.

    Args:
        audio, motion: unit-length embeddings ``[..., N, E]``; row ``i`` of one belongs to row ``i`` of the other.
        temperature: divides the cosines; the paper has none (1).
        margin: subtracted from the cosine of each true pair.

    Returns:
        Cross-entropy over rows plus cross-entropy over columns, each averaged: ``2 ln N`` at chance.
    """
    count = audio.shape[-2]
    logits = audio @ motion.transpose(-1, -2)
    logits = (logits - margin * torch.eye(count, device=logits.device, dtype=logits.dtype)) / temperature
    flat = logits.reshape(-1, count, count)
    target = torch.arange(count, device=logits.device).expand(len(flat), -1)
    return functional.cross_entropy(flat, target) + functional.cross_entropy(flat.transpose(1, 2), target)


def margin_loss(audio: Tensor, motion: Tensor, margin: float = 10.0) -> Tensor:
    """SyncNet's contrastive loss over aligned groups of windows. Source: Chung and Zisserman 2016.

    Args:
        audio, motion: embeddings ``[..., N, E]`` of any length; row ``i`` of one belongs to row ``i`` of the other, and
            the audio of the row before is its negative.
        margin: distance up to which negatives are pushed apart, MS-Sync's 10.

    Returns:
        Half of the mean squared distance of true pairs plus the mean squared shortfall of the others to the margin.
    """
    true = (motion - audio).square().sum(-1)
    false = (motion - audio.roll(1, -2)).norm(dim=-1)
    return (true.mean() + functional.relu(margin - false).square().mean()) / 2


def top1(audio: Tensor, motion: Tensor) -> Tensor:
    """Share of windows ``[..., N, E]`` whose own audio is the nearest of the N."""
    nearest = torch.cdist(motion, audio).argmin(-1)
    return (nearest == torch.arange(audio.shape[-2], device=audio.device)).float().mean()
