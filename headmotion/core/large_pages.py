"""Weights in memory of large pages, where the system has them.

A frame of one clip reads every weight once and computes little with it, so it takes as long as memory takes to be read.
From pages of 2 MiB a core reads faster than from those of 4 KiB, where it has to look up ever again which comes next.
"""

from __future__ import annotations

import mmap
from collections import Counter
from contextlib import suppress

import torch
from torch import Tensor, nn

PAGE = 1 << 21
"""Bytes of a large page of the usual processors; weights that do not fill one stay where they are."""


def in_large_pages(module: nn.Module) -> None:
    """Move a module's large weights on the CPU; values and layouts stay. Only Linux has a call for it."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return
    users = Counter(each.untyped_storage().data_ptr() for each in (*module.parameters(), *module.buffers()))
    for parameter in module.parameters():
        storage = parameter.untyped_storage()
        alone = users[storage.data_ptr()] == 1  # what shares its memory must go on sharing it
        whole = storage.nbytes() == parameter.numel() * parameter.element_size()
        if parameter.device.type == "cpu" and storage.nbytes() >= PAGE and alone and whole:
            parameter.data = _moved(parameter.data)


def _moved(weight: Tensor) -> Tensor:
    size = weight.untyped_storage().nbytes()
    memory = mmap.mmap(-1, -(-size // PAGE) * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without large pages gives others
        memory.madvise(mmap.MADV_HUGEPAGE)
    flat = torch.frombuffer(memory, dtype=weight.dtype, count=weight.numel())
    return flat.as_strided(weight.shape, weight.stride()).copy_(weight)
