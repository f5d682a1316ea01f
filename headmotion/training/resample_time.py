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
    # In double precision, because positions are large, and on the CPU, because MPS has none.
    position = torch.arange(count, dtype=torch.float64) * time_stretch.to("cpu", torch.float64)[:, None]
    floor = position.floor()
    weight = (position - floor).to(sequences).reshape(*position.shape, *[1] * (sequences.dim() - 2))
    low = floor.long().to(sequences.device)
    # Rows of a flat sequence are copied whole, which takes a fraction of the time of an index per dimension.
    length, flat = sequences.shape[1], sequences.flatten(0, 1)
    first = length * torch.arange(len(sequences), device=sequences.device)[:, None]
    before, after = (
        flat.index_select(0, (first + step.clamp(max=length - 1)).flatten()).reshape(*low.shape, *sequences.shape[2:])
        for step in (low, low + 1)
    )
    return torch.lerp(before, after, weight)
