"""Guidance by syncers, and the contrastive loss that trains them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from ..core.loss import Loss, LossInput
from ..core.syncer import SyncerPyramid
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


def top1(audio: Tensor, motion: Tensor) -> Tensor:
    """Share of windows ``[..., N, E]`` whose own audio is the nearest of the N."""
    nearest = (motion @ audio.transpose(-1, -2)).argmax(-1)
    return (nearest == torch.arange(audio.shape[-2], device=audio.device)).float().mean()
