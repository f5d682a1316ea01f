"""Features of frames and of their neighbors, for parts that look at the speech around a frame."""

from __future__ import annotations

import torch
from torch import Tensor


def steps_between(features: Tensor, first: int, stop: int) -> Tensor:
    """Return the steps from ``first`` to ``stop`` of features ``[B, A, C]``.

    Beyond the beginning and the end, the first and the last step are repeated.

    Args:
        features: at least one step.
        first: index of the first step; may be negative.
        stop: index behind the last step; may be larger than ``A``.
    """
    steps = torch.arange(first, stop, device=features.device).clamp(0, features.shape[1] - 1)
    return features[:, steps]
