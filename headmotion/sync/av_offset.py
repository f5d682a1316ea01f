"""Distance curves: by how many windows audio and motion are apart, and how surely.

Source: Chung and Zisserman, "Out of time: automated lip sync in the wild" (SyncNet, 2016), as MS-Sync's AV-Offset and
AV-Conf use it at every level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

REACH = 15
"""Largest shift in windows, SyncNet's."""

DistanceCurve = Callable[[Tensor, Tensor, int], Tensor]
"""Embeddings of motion and audio, each ``[..., W, E]``, and the largest shift ``V`` in windows, to mean distances
``[..., 2 * V + 1]``: number ``k`` is that of motion window ``i`` to audio window ``i + k - V``."""


def valid_pairs(motion: Tensor, audio: Tensor, reach: int = REACH) -> Tensor:
    """Mean over the pairs of windows that there are, with ``V = min(reach, W // 2)``, so that no mean is of few."""
    count = motion.shape[-2]
    reach = min(reach, count // 2)
    paired = torch.arange(count)[:, None] + torch.arange(-reach, reach + 1)
    valid = ((paired >= 0) & (paired < count)).to(motion)
    return (_distances(motion, audio, reach) * valid).sum(-2) / valid.sum(-2)


def zero_padded(motion: Tensor, audio: Tensor, reach: int = REACH) -> Tensor:
    """SyncNet's published definition: zeros stand for the audio before the first window and after the last."""
    return _distances(motion, audio, reach).mean(-2)


Convention = Literal["valid-pairs", "syncnet"]
"""What becomes of windows that have no partner at a shift."""

CURVES: Mapping[Convention, DistanceCurve] = {"valid-pairs": valid_pairs, "syncnet": zero_padded}


class Shift(NamedTuple):
    """What curves ``[..., 2 * V + 1]`` say, each ``[...]``."""

    offset: Tensor
    """Windows by which audio and motion are apart, whole numbers; negative: the audio is late."""
    distance: Tensor
    """Mean distance at that shift, the least of the curve."""
    confidence: Tensor
    """Median minus minimum of the curve; 0 means that no shift stands out."""


def best_shift(curve: Tensor) -> Shift:
    """The shift of least distance, the first where several are equal, and how much it stands out."""
    least, where = curve.min(-1)
    return Shift(curve.shape[-1] // 2 - where, least, curve.median(-1).values - least)


def _distances(motion: Tensor, audio: Tensor, reach: int) -> Tensor:
    """Distance ``[..., W, 2 * reach + 1]`` of each motion window to its neighbors in audio, zeros beyond the ends."""
    # All shifts at once: a view slides over the audio, so neither clips nor shifts are looped over.
    shifted = functional.pad(audio, (0, 0, reach, reach)).unfold(-2, 2 * reach + 1, 1)
    distance: Tensor = (motion[..., None] - shifted).norm(dim=-2)
    return distance
