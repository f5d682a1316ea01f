"""Synchrony at each level of a pyramid, as syncers see it that no generator was trained against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headmotion.sync.av_offset import best_shift
from headmotion.sync.trained import TrainedSyncers

Table = npt.NDArray[np.float64]
FIGURES = ("confidence", "distance", "offset", "cosine")


@torch.no_grad()
def synchrony(judge: TrainedSyncers, motion: Tensor, audio: Tensor) -> Table:
    """Of motions ``[B, T, P, D]`` and their audio ``[B, 4*T, C]``: ``[B, levels, 4]``, in the order of `FIGURES`.

    ``confidence``, ``distance`` (the least) and ``offset`` (its size, in frames of the level) are those of the curve of
    distances over shifts, in the space in which the judge was trained; ``cosine`` is the mean over all windows.
    """
    curves = judge.syncers.curves(motion, audio, judge.space)
    cosines = judge.syncers.scores(motion, audio)
    levels = []
    for curve, cosine in zip(curves, cosines, strict=True):
        found = best_shift(curve)
        levels.append(torch.stack([found.confidence, found.distance, found.offset.abs().float(), cosine.mean(-1)], -1))
    return np.asarray(torch.stack(levels, 1).double().numpy())
