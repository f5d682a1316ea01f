"""What every built part of a pipeline is: a torch module that knows the spec it was made from."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .spec import Spec


class Component(nn.Module, ABC):
    """A part built from its spec. Its parameters and buffers are what a checkpoint stores."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec


def seeded_uniform(seed: int | Sequence[int], batch: int, size: int) -> Tensor:
    """Noise ``[B, size]`` in [0, 1), keyed by sample: an int seeds sample ``b`` with ``seed + b``.

    Sample ``b`` gets the same numbers whatever the batch around it, so noise does not depend on how a batch is split.
    """
    seeds = range(seed, seed + batch) if isinstance(seed, int) else seed
    if len(seeds) != batch:
        raise ValueError(f"{len(seeds)} seeds for a batch of {batch}")
    return torch.stack([torch.rand(size, generator=torch.Generator().manual_seed(each)) for each in seeds])
