"""Synchrony at each level of a pyramid, as syncers see it that no generator was trained against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headmotion.core.syncer import SyncerPyramid, offset_and_confidence

Table = npt.NDArray[np.float64]
FIGURES = ("cosine", "confidence", "offset")


@torch.no_grad()
def synchrony(judge: SyncerPyramid, motion: Tensor, audio: Tensor) -> Table:
    """Of motions ``[B, T, P, D]`` and their audio ``[B, 4*T, C]``: ``[B, levels, 3]``, in the order of `FIGURES`.

    ``cosine`` is the mean over all windows; ``confidence`` and ``offset`` (its size, in frames of the level) are those
    of `headmotion.core.syncer.offset_and_confidence`.
    """
    levels = []
    for seen, heard in judge.embeddings(motion, audio):
        cosine = (seen * heard).sum(-1).mean(-1).tolist()
        found = [offset_and_confidence(m, a) for m, a in zip(seen, heard, strict=True)]
        levels.append([(c, sure, abs(off)) for c, (off, sure) in zip(cosine, found, strict=True)])
    return np.array(levels, dtype=np.float64).transpose(1, 0, 2)
