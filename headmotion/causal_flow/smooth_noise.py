"""Normal noise that changes smoothly from frame to frame, and is the same in a stream as in the whole clip."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ..core.noise import normal

REACH = 3
"""Half of a kernel, in standard deviations of its Gaussian."""


class SmoothNoise:
    """Stationary Gaussian noise of variance 1: a sum of parts, each with its own correlation length.

    Autocorrelation of a part is ``exp(-t^2 / (2 length^2))``. Each frame is a weighted sum of white noise of that frame
    and earlier ones, which is seeded by sample and frame.

    Args:
        frames: correlation length of each part.
        shares: share of each part in the variance, per number, ``[parts, S]``; they sum to 1.
    """

    def __init__(self, frames: Sequence[float], shares: Tensor) -> None:
        self.kernels = [_kernel(length) for length in frames]
        self.shares = shares
        self.reach = max(map(len, self.kernels)) - 1
        """Frames of white noise before a frame that it depends on."""

    def __call__(self, seeds: Sequence[int], frames: range) -> Tensor:
        """Return the noise of frames, ``[B, T, S]``.

        Args:
            seeds: one per sample.
            frames: consecutive frames.
        """
        white = [self.white(seeds, range(frames.start - self.reach, frames.stop), part) for part in range(self.parts)]
        return self.smooth(white)

    @property
    def parts(self) -> int:
        """Number of parts."""
        return len(self.kernels)

    def white(self, seeds: Sequence[int], frames: range, part: int) -> Tensor:
        """Return the white noise of a part, ``[B, n, S]``."""
        return normal(seeds, frames, (self.shares.shape[1],), part)

    def smooth(self, white: Sequence[Tensor]) -> Tensor:
        """Return the noise ``[B, n - reach, S]`` of the white noise of each part, ``[B, n, S]``."""
        total = torch.zeros(())
        for values, kernel, share in zip(white, self.kernels, self.shares, strict=True):
            used = values[:, self.reach + 1 - len(kernel) :].mT
            # A convolution rather than windows of `unfold`, which torch 2.x exports wrongly.
            smooth = functional.conv1d(used.flatten(0, 1).unsqueeze(1), kernel.expand(1, 1, -1))
            total = total + share.sqrt() * smooth.reshape(*used.shape[:2], -1).mT
        return total


def _kernel(length: float) -> Tensor:
    """Return weights whose squares sum to 1, and with which white noise gets a correlation length (frames)."""
    reach = max(0, math.ceil(REACH * length / math.sqrt(2)))
    weights: Tensor = torch.exp(-((torch.arange(-reach, reach + 1) / length) ** 2)) if length else torch.ones(1)
    return functional.normalize(weights, dim=0)
