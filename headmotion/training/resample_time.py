"""Sequences at another speed."""

from __future__ import annotations

import torch
from torch import Tensor


def resample_time(sequences: Tensor, time_stretch: Tensor, count: int) -> Tensor:
    """Resample sequences to another speed, linearly between neighbors in time; at 1.0 nothing changes.

    Source: the speed perturbation of Ko, Peddinti, Povey and Khudanpur (2015), here for motion and features together.

    Args:
        sequences: ``[B, T, ...]``.
        time_stretch: original steps per new step, ``[B]``; above 1 is faster.
        count: new steps; the last original step is held where they go beyond it.

    Returns:
        ``[B, count, ...]``; step ``k`` is the original at ``k * time_stretch``.
    """
    steps = torch.arange(count, dtype=torch.float64, device=sequences.device)
    position = steps * time_stretch.to(torch.float64)[:, None]
    low = position.floor().long()
    weight = (position - low).to(sequences.dtype).reshape(*position.shape, *[1] * (sequences.dim() - 2))
    last, row = sequences.shape[1] - 1, torch.arange(len(sequences), device=sequences.device)[:, None]
    before, after = sequences[row, low.clamp(max=last)], sequences[row, (low + 1).clamp(max=last)]
    return torch.lerp(before, after, weight)
