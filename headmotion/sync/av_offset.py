"""Offset and confidence: by how many windows audio and motion are shifted, and how clearly.

Source: Chung and Zisserman, "Out of time: automated lip sync in the wild" (SyncNet, 2016), as MS-Sync's AV-Offset and
AV-Conf use it at every level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

MAX_SHIFT = 15
"""Largest shift in windows; SyncNet's value."""

DistanceCurve = Callable[[Tensor, Tensor, int], Tensor]
"""Function from embeddings of motion and audio, each ``[..., W, E]``, and the largest shift ``V`` in windows to mean
distances ``[..., 2 * V + 1]``: element ``k`` compares motion window ``i`` with audio window ``i + k - V``."""


def valid_pairs(motion: Tensor, audio: Tensor, max_shift: int = MAX_SHIFT) -> Tensor:
    """Average distances over existing pairs of windows.

    Args:
        motion: embeddings of motion windows, ``[..., W, E]``.
        audio: embeddings of audio windows, ``[..., W, E]``.
        max_shift: largest shift in windows.

    Returns:
        ``[..., 2 * V + 1]`` with ``V = min(max_shift, W // 2)``, so that every mean has at least half of the pairs.
    """
    count = motion.shape[-2]
    max_shift = min(max_shift, count // 2)
    partner = torch.arange(count)[:, None] + torch.arange(-max_shift, max_shift + 1)
    valid = ((partner >= 0) & (partner < count)).to(motion)
    return (_distances(motion, audio, max_shift) * valid).sum(-2) / valid.sum(-2)


def zero_padded(motion: Tensor, audio: Tensor, max_shift: int = MAX_SHIFT) -> Tensor:
    """Average distances by SyncNet's published definition, in which zeros stand for audio beyond either end.

    Args:
        motion: embeddings of motion windows, ``[..., W, E]``.
        audio: embeddings of audio windows, ``[..., W, E]``.
        max_shift: largest shift ``V`` in windows.

    Returns:
        ``[..., 2 * V + 1]``.
    """
    return _distances(motion, audio, max_shift).mean(-2)


Convention = Literal["valid-pairs", "syncnet"]
"""How windows without a counterpart at a shift are treated."""

CURVES: Mapping[Convention, DistanceCurve] = {"valid-pairs": valid_pairs, "syncnet": zero_padded}


class Shift(NamedTuple):
    """Summary of distance curves ``[..., 2 * V + 1]``; each field is ``[...]``."""

    offset: Tensor
    """Whole number of windows by which audio and motion are shifted; negative if the audio is late."""
    distance: Tensor
    """Mean distance at that shift, the minimum of the curve."""
    confidence: Tensor
    """Median minus minimum of the curve; 0 if no shift stands out."""


def best_shift(curve: Tensor) -> Shift:
    """Find the shift of least distance, the first of several equal ones, and how much it stands out.

    Args:
        curve: distances ``[..., 2 * V + 1]`` from a `DistanceCurve`.
    """
    least, position = curve.min(-1)
    return Shift(curve.shape[-1] // 2 - position, least, curve.median(-1).values - least)


def running_confidence(motion: Tensor, audio: Tensor, radius: int, max_shift: int = MAX_SHIFT) -> Tensor:
    """Return the confidence around each window: that of `valid_pairs`, averaged over near windows only.

    Args:
        motion: embeddings of motion windows, ``[W, E]``.
        audio: embeddings of audio windows, ``[W, E]``.
        radius: windows on either side that are averaged.
        max_shift: largest shift in windows.

    Returns:
        ``[W]``, median minus minimum of each local curve; shifts without a pair are left out.
    """
    count = len(motion)
    max_shift = min(max_shift, count // 2)
    partner = torch.arange(count)[:, None] + torch.arange(-max_shift, max_shift + 1)
    valid = ((partner >= 0) & (partner < count)).to(motion)
    totals, pairs = (_box_sum(values, radius) for values in (_distances(motion, audio, max_shift) * valid, valid))
    curves = torch.where(pairs > 0, totals / pairs.clamp(min=1), torch.nan)
    return curves.nanmedian(-1).values - curves.nan_to_num(torch.inf).amin(-1)


def _box_sum(values: Tensor, radius: int) -> Tensor:
    """Return sums over ``2 * radius + 1`` rows around each row of ``[W, K]``; fewer at the ends."""
    rows = torch.arange(len(values))
    sums = functional.pad(values.double().cumsum(0), (0, 0, 1, 0))
    return (sums[(rows + radius + 1).clamp(max=len(values))] - sums[(rows - radius).clamp(min=0)]).to(values)


def _distances(motion: Tensor, audio: Tensor, max_shift: int) -> Tensor:
    """Return distances ``[..., W, 2 * V + 1]`` of motion windows to their audio neighbors, zeros beyond the ends."""
    # All shifts at once: a view slides over the audio, so there is no loop over clips or shifts.
    shifted = functional.pad(audio, (0, 0, max_shift, max_shift)).unfold(-2, 2 * max_shift + 1, 1)
    distance: Tensor = (motion[..., None] - shifted).norm(dim=-2)
    return distance
