"""Batch norm over a whole batch that is computed in parts, here and in other processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..core.errors import TrainingError
from .batch_partition import Division, from_one_start

T = TypeVar("T")


class WholeBatchNorm:
    """Makes every batch norm of some modules use and keep the statistics of the whole batch.

    Only norms of what comes from the data can be treated so, such as those that standardize inputs; parameters before
    a norm would have to learn from its statistics too.
    """

    def __init__(self, modules: Iterable[nn.Module], division: Division) -> None:
        self.modules, self.division = list(modules), division
        each = [norm for module in self.modules for norm in module.modules() if isinstance(norm, _BatchNorm)]
        self.norms = each if division.parts > 1 else []
        self._totals: dict[nn.Module, list[Tensor]] = {}
        self._calls: dict[nn.Module, int] = {}
        self._kept: tuple[Any, ...] = ()
        self._measuring = False
        for norm in self.norms:
            norm.register_forward_pre_hook(self._enter)
            norm.register_forward_hook(self._leave)

    def measure(self, forward: Callable[[T], object], parts: Sequence[T]) -> None:
        """Run the parts once to learn the statistics of the whole, if a process has several and there are norms."""
        self._totals, self._calls = {}, {}
        if len(parts) == 1 or not self.norms:
            return
        self._measuring = True
        try:
            with torch.no_grad():
                # Once more at the end for what was there before.
                for part in from_one_start([*parts, None], self.modules):
                    self._calls = {}
                    if part is not None:
                        forward(part)
        finally:
            self._measuring = False
        for totals in self._totals.values():
            for total in totals:
                self.division.processes.add(total)

    def _enter(self, norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if not norm.training:
            return
        assert isinstance(norm, _BatchNorm)
        if inputs[0].requires_grad:
            got = f"a {type(norm).__name__} of what parameters made"
            raise TrainingError("a batch in parts", "batch norm of data only", got, "use another norm, or one process")
        total = self._total(norm, inputs[0].detach())
        if self._measuring:
            return
        count, first, second = total[0, 0], total[1], total[2]
        mean = first / count
        spread = (second / count - mean.square()).clamp(min=0)
        self._kept = (norm.running_mean, norm.running_var, mean, spread * count / (count - 1))
        norm.running_mean, norm.running_var = mean.to(inputs[0].dtype), spread.to(inputs[0].dtype)
        norm.training = False

    def _leave(self, norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if not self._kept:
            return
        assert isinstance(norm, _BatchNorm)
        norm.running_mean, norm.running_var, mean, spread = self._kept
        norm.training, self._kept = True, ()
        if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
            return
        norm.num_batches_tracked += 1
        weight = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
        norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), weight)
        norm.running_var.lerp_(spread.to(norm.running_var.dtype), weight)

    def _total(self, norm: nn.Module, inputs: Tensor) -> Tensor:
        """Count, sum and sum of squares per channel of the whole batch, ``[3, C]``; so far while measuring."""
        call = self._calls.get(norm, 0)
        self._calls[norm] = call + 1
        known = self._totals.setdefault(norm, [])
        if known and not self._measuring and self.division.grad_accumulation > 1:
            return known[call % len(known)]
        exact = inputs.double().transpose(0, 1).flatten(1)
        count = torch.full_like(exact[:, 0], exact.shape[1])
        total = torch.stack([count, exact.sum(1), exact.square().sum(1)])
        if not self._measuring:
            self.division.processes.add(total)
        elif call < len(known):
            known[call] += total
        else:
            known.append(total)
        return total
