"""A running mean of the weights of a module, which is saved in their place."""

from __future__ import annotations

import copy

import torch
from torch import nn


class RunningMean:
    """A copy of a module whose weights follow those of the module.

    Args:
        module: the module that is trained.
        decay: share of the mean that each step keeps; 0 keeps nothing, so that the copy equals the module.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module, self.decay = module, decay
        self.mean = copy.deepcopy(module).requires_grad_(False)

    @torch.no_grad()
    def reset(self) -> None:
        """Take the weights as they are now."""
        self.mean.load_state_dict(self.module.state_dict())

    @torch.no_grad()
    def update(self, number: int) -> None:
        """Follow the weights after step ``number``."""
        # Early weights are forgotten faster, or the mean would keep the random start.
        decay = min(self.decay, (1 + number) / (10 + number))
        for mean, value in zip(self.mean.parameters(), self.module.parameters(), strict=True):
            mean.lerp_(value, 1 - decay if self.decay else 1.0)
        for copied, buffer in zip(self.mean.buffers(), self.module.buffers(), strict=True):
            copied.copy_(buffer)
