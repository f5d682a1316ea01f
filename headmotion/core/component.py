"""Component: the base of every built part, a torch module that keeps the spec it was built from."""

from __future__ import annotations

import itertools
from abc import ABC
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .noise import sample_seeds
from .spec import Spec


class Component(nn.Module, ABC):
    """A part built from its spec. Its parameters and buffers are what a checkpoint stores."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec


def device_of(part: nn.Module) -> torch.device:
    """Return the device of a part's tensors; the CPU if it has none."""
    return next((tensor.device for tensor in itertools.chain(part.parameters(), part.buffers())), torch.device("cpu"))


def seeded_uniform(seed: int | Sequence[int], batch: int, size: int) -> Tensor:
    """Draw noise ``[B, size]`` in [0, 1) that is seeded per sample.

    A sample gets the same numbers in any batch, so results do not depend on how a batch is divided.

    Args:
        seed: an int seeds sample ``b`` with ``seed + b``; a sequence holds a seed per sample.
        batch: number of samples, ``B``.
        size: numbers per sample.
    """
    # One generator per sample, because a single one would tie the numbers of a sample to its place in the batch.
    generators = (torch.Generator().manual_seed(sample) for sample in sample_seeds(seed, batch))
    return torch.stack([torch.rand(size, generator=generator) for generator in generators])
