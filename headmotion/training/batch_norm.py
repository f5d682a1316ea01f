"""Batch norm over a whole batch that is computed in parts, in this process and in others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

from ..core.errors import TrainingError
from ..core.frozen_weights import stay_in_evaluation_mode
from .batch_partition import BatchPartition, replay_state_per_part

T = TypeVar("T")


def keep_statistics(part: nn.Module) -> None:
    """Make the norms of a part use the statistics that they have, also in training, and leave them as they are.

    The weights of a trained part are made for these. A mean over old and new data would fit neither: in training a norm
    sees the new batch alone, and inference would then use something else. With those of the new data alone, the weights
    would mean something else before the first step.
    """
    for norm in part.modules():
        if isinstance(norm, _NormBase) and norm.track_running_stats:
            norm.eval()
            norm.train = stay_in_evaluation_mode  # type: ignore[method-assign,assignment]


class _Replaced(NamedTuple):
    """Running statistics that are set aside during a forward pass, and what they are to be updated by."""

    running_mean: Tensor | None
    running_var: Tensor | None
    batch_mean: Tensor
    batch_var: Tensor


class WholeBatchNorm:
    """Make every batch norm of some modules use and keep the statistics of the whole batch.

    Before a step `measure` sums the statistics of all parts. During the step a hook shows each norm the statistics of
    the whole batch as if they were its running ones, and another hook then updates the true running statistics. Only
    norms of data can be treated so, such as those that standardize inputs: parameters before a norm would need
    gradients through the statistics too.

    Args:
        modules: modules whose norms are treated.
        partition: with a single part nothing is changed.
    """

    def __init__(self, modules: Iterable[nn.Module], partition: BatchPartition) -> None:
        self.modules, self.partition = list(modules), partition
        norms = [norm for module in self.modules for norm in module.modules() if isinstance(norm, _BatchNorm)]
        self.norms = norms if partition.parts > 1 else []
        # Per norm, one sum for each time that it is called in a forward pass.
        self._sums: dict[nn.Module, list[Tensor]] = {}
        self._calls: dict[nn.Module, int] = {}
        self._replaced: _Replaced | None = None
        self._measuring = False
        for norm in self.norms:
            norm.register_forward_pre_hook(self._before_forward)
            norm.register_forward_hook(self._after_forward)

    def measure(self, forward: Callable[[T], object], parts: Sequence[T]) -> None:
        """Sum the statistics of the whole batch, if this process has several parts and there are norms.

        Args:
            forward: runs the modules on a part; its result is not used.
            parts: the parts of this process.
        """
        self._sums, self._calls = {}, {}
        if len(parts) == 1 or not self.norms:
            return
        self._measuring = True
        try:
            with torch.no_grad():
                # The last, empty part restores buffers and random state.
                for part in replay_state_per_part([*parts, None], self.modules):
                    self._calls = {}
                    if part is not None:
                        forward(part)
        finally:
            self._measuring = False
        for sums in self._sums.values():
            for total in sums:
                self.partition.processes.sum(total)

    def _before_forward(self, norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if not norm.training:
            return
        assert isinstance(norm, _BatchNorm)
        if inputs[0].requires_grad:
            got = f"a {type(norm).__name__} after trained parameters"
            raise TrainingError("a batch in parts", "batch norm of data only", got, "use another norm, or one process")
        total = self._statistics(norm, inputs[0].detach())
        if self._measuring:
            return
        count, first, second = total[0, 0], total[1], total[2]
        mean = first / count
        variance = (second / count - mean.square()).clamp(min=0)
        # As torch does, a batch is normalized by its own variance and the running one is updated without bias.
        self._replaced = _Replaced(norm.running_mean, norm.running_var, mean, variance * count / (count - 1))
        norm.running_mean, norm.running_var = mean.to(inputs[0].dtype), variance.to(inputs[0].dtype)
        norm.training = False

    def _after_forward(self, norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if self._replaced is None:
            return
        assert isinstance(norm, _BatchNorm)
        norm.running_mean, norm.running_var, mean, variance = self._replaced
        norm.training, self._replaced = True, None
        if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
            return
        norm.num_batches_tracked += 1
        weight = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
        norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), weight)
        norm.running_var.lerp_(variance.to(norm.running_var.dtype), weight)

    def _statistics(self, norm: nn.Module, inputs: Tensor) -> Tensor:
        """Return count, sum and sum of squares per channel, ``[3, C]``, of the whole batch.

        While measuring they are those of the parts so far, without the other processes.
        """
        call = self._calls.get(norm, 0)
        self._calls[norm] = call + 1
        sums = self._sums.setdefault(norm, [])
        if sums and not self._measuring and self.partition.grad_accumulation > 1:
            return sums[call % len(sums)]
        # In double precision, because a variance is the small difference of two large sums; MPS has only single.
        precise = inputs.float() if inputs.device.type == "mps" else inputs.double()
        values = precise.transpose(0, 1).flatten(1)
        count = torch.full_like(values[:, 0], values.shape[1])
        total = torch.stack([count, values.sum(1), values.square().sum(1)])
        if not self._measuring:
            self.partition.processes.sum(total)
        elif call < len(sums):
            sums[call] += total
        else:
            sums.append(total)
        return total
