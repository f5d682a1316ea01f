"""Independent streams in batches: those whose tensors have equal shapes are processed together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import torch
from torch import Tensor


def map_in_groups(
    function: Callable[..., tuple[Tensor, ...]], streams: Sequence[tuple[Tensor, ...]]
) -> list[tuple[Tensor, ...]]:
    """Apply a function of batches to the tensors of each stream, once per group of streams with equal shapes.

    Args:
        function: takes and returns tensors ``[B, ...]`` whose samples are independent.
        streams: the arguments of each stream, ``[1, ...]``.

    Returns:
        The results of each stream, ``[1, ...]``.
    """
    shapes = [tuple(tensor.shape for tensor in tensors) for tensors in streams]
    results: dict[int, tuple[Tensor, ...]] = {}
    for indices in group_by(shapes):
        batch = (torch.cat(tensors) for tensors in zip(*(streams[index] for index in indices), strict=True))
        split = (tensor.chunk(len(indices)) for tensor in function(*batch))
        results |= zip(indices, zip(*split, strict=True), strict=True)
    return [results[index] for index in range(len(streams))]


def group_by(keys: Sequence[Hashable]) -> list[list[int]]:
    """Return the indices of equal keys, as a list per key."""
    groups: dict[Hashable, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    return list(groups.values())
