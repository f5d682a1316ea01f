"""Keys and values of the latest steps of a stream, which are appended without a copy, and attention to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ...core.stream_groups import group_by
from .network import HEAD_SIZE

SPARE_STEPS = 48
"""Steps that can be appended before the kept ones are copied."""


class _Buffer:
    """Memory for rows, the first ``used`` of which belong to some `RecentKeys`, and never change."""

    def __init__(self, rows: Tensor, used: int) -> None:
        self.rows, self.used = rows, used


@dataclass(frozen=True)
class RecentKeys:
    """Keys and values of consecutive steps. It never changes: what is appended makes a new one.

    Several may share memory, because rows are only ever appended behind those of all others; of two that continue the
    same steps, the second one gets a copy.
    """

    steps: Tensor
    """Key and value of each step, ``[k, 2 W]``."""
    # No fields, because a snapshot holds the steps alone.
    _buffer = None
    _stop = 0

    @classmethod
    def none(cls, like: Tensor, width: int) -> Self:
        """Return the memory before the first step, on the device of a tensor."""
        return cls(like.new_zeros(0, 2 * width))

    def append(self, new: Tensor) -> RecentKeys:
        """Return the steps with new ones ``[n, 2 W]`` after them."""
        buffer, stop, count, before = self._buffer, self._stop, new.shape[0], self.steps.shape[0]
        if buffer is None or buffer.used != stop or stop + count > buffer.rows.shape[0] or not _writable(buffer.rows):
            stop = before
            buffer = _Buffer(new.new_empty(stop + count + SPARE_STEPS, new.shape[1]), stop)
            buffer.rows[:stop] = self.steps
        buffer.rows[stop : stop + count] = new
        buffer.used = stop + count
        return _within(buffer, stop - before, buffer.used)

    def last(self, count: int) -> RecentKeys:
        """Return the last ``count`` steps, or all if there are fewer."""
        if self.steps.shape[0] <= count:
            return self
        if self._buffer is None:
            return RecentKeys(self.steps[-count:])
        return _within(self._buffer, self._stop - count, self._stop)


def _within(buffer: _Buffer, start: int, stop: int) -> RecentKeys:
    keys = RecentKeys(buffer.rows[start:stop])
    object.__setattr__(keys, "_buffer", buffer)
    object.__setattr__(keys, "_stop", stop)
    return keys


def _writable(rows: Tensor) -> bool:
    return torch.is_inference_mode_enabled() or not rows.is_inference()


def attend(queries: Sequence[Tensor], keys: Sequence[RecentKeys], ahead: int, back: int) -> Tensor:
    """Return the attention's heads ``[o, W]``, for the queries of all streams one after the other.

    Args:
        queries: ``[o, W]`` of each stream; the last one is ``ahead`` steps before the last key.
        keys: those of the same streams, of which the first queries may lack some: there are none before the speech.
        ahead: later steps that a query attends to.
        back: earlier steps that a query attends to.
    """
    if len(queries) == 1:
        return _attend_equal(queries, keys, ahead, back)
    groups = group_by([query.shape[0] for query in queries])
    if len(groups) == 1:
        return _attend_equal(queries, keys, ahead, back)
    heads: dict[int, Tensor] = {}
    for group in groups:
        together = _attend_equal([queries[k] for k in group], [keys[k] for k in group], ahead, back)
        heads |= zip(group, together.chunk(len(group)), strict=True)
    return torch.cat([heads[k] for k in range(len(queries))])


def _attend_equal(queries: Sequence[Tensor], keys: Sequence[RecentKeys], ahead: int, back: int) -> Tensor:
    """Do what `attend` does for streams with as many queries each."""
    count, width = queries[0].shape
    heads, reach = width // HEAD_SIZE, count + back + ahead
    together = torch.stack(list(queries)) / math.sqrt(HEAD_SIZE)
    split = together.view(len(queries), count, heads, HEAD_SIZE).transpose(1, 2)
    scores = split.new_empty(len(queries), heads, count, reach)
    # One by one, because the keys of a stream stay where they are: a batch would copy all of them in every call.
    views = [key.steps[-reach:].view(-1, 2, heads, HEAD_SIZE).permute(1, 2, 0, 3) for key in keys]
    for query, view, score in zip(split.unbind(), views, scores.unbind(), strict=True):
        _product(query, view[0].mT, score[:, :, reach - view.shape[2] :])
        score[:, :, : reach - view.shape[2]] = -math.inf
    column, row = torch.arange(reach, device=scores.device), torch.arange(count, device=scores.device)[:, None]
    hidden = (column < row) | (column > row + back + ahead)
    weights = scores.masked_fill_(hidden, -math.inf).softmax(-1)
    attended = torch.empty_like(split, memory_format=torch.contiguous_format)
    for weight, view, result in zip(weights.unbind(), views, attended.unbind(), strict=True):
        _product(weight[:, :, reach - view.shape[2] :], view[1], result)
    return attended.transpose(1, 2).reshape(-1, width)


def _product(left: Tensor, right: Tensor, result: Tensor) -> None:
    torch.bmm(left, right, out=result)
