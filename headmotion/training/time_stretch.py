"""Faster and slower: an augmentation of motion and sound together (after Ko, Peddinti, Povey, Khudanpur 2015)."""

from __future__ import annotations

import torch
from torch import Tensor


def resample_time(sequences: Tensor, pace: Tensor, count: int) -> Tensor:
    """``count`` steps of each sequence ``[B, T, ...]``, ``pace[b]`` original steps apart, linear between neighbors.

    Step ``k`` lies at ``k * pace``; the last is held beyond the end. At pace 1 a step is exactly what it was.
    """
    place = torch.arange(count, dtype=torch.float64, device=sequences.device) * pace.to(torch.float64)[:, None]
    low = place.floor().long()
    weight = (place - low).to(sequences.dtype).reshape(*place.shape, *[1] * (sequences.dim() - 2))
    last, row = sequences.shape[1] - 1, torch.arange(len(sequences), device=sequences.device)[:, None]
    before, after = sequences[row, low.clamp(max=last)], sequences[row, (low + 1).clamp(max=last)]
    return torch.lerp(before, after, weight)
