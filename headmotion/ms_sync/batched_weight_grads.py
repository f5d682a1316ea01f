"""Gradients of weights that a rollout uses at every frame, computed once for all frames.

Backpropagation through time adds to a weight's gradient at each frame: a product of few rows that writes as many
numbers as there are weights, and another pass that adds them up. Here the frames' inputs and gradients are put by, and
one product of all rows is made at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from typing_extensions import override

from .blocks import GroupedLinear, replaceable, twin

if TYPE_CHECKING:
    from .generator import Branches

Rows = list[tuple[Tensor, Tensor]]
"""Inputs ``[G, B, n_in]`` and gradients ``[G, B, n_out]`` of each use of a weight."""


def deferring(branches: Branches) -> Branches:
    """The same branches for one rollout with gradients; the branches themselves where there are none to gain."""
    layer = branches.opening.expand
    learns = torch.is_grad_enabled() and layer.weight.requires_grad
    return twin(branches, DeferredLinear) if learns and replaceable(layer) else branches


class DeferredLinear(nn.Module):
    """A `GroupedLinear` for one rollout. Only one of its methods may be used, by all frames."""

    weight: nn.Parameter
    bias: nn.Parameter

    def __init__(self, linear: GroupedLinear) -> None:
        super().__init__()
        self._parameters = linear._parameters
        self._rows: Rows = []
        self._last: tuple[Tensor, Tensor] | None = None

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        return self.front(inputs, self.bias)

    def front(self, inputs: Tensor, rest: Tensor) -> Tensor:
        """As of `GroupedLinear`."""
        if self._last is None:
            used = self.weight[:, : inputs.shape[-1]]
            self._last = used.detach(), _Finish.apply(used, self._rows)  # type: ignore[no-untyped-call]
        product: Tensor = _Use.apply(rest, inputs, *self._last, self._rows)  # type: ignore[no-untyped-call]
        return product


class _Finish(Function):
    """A weight becomes a number without meaning, whose backward runs when that of every use has run."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, rows: Rows) -> Tensor:
        ctx.rows = rows
        return weight.new_zeros(())

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> Any:
        inputs, gradients = (torch.cat(each, dim=1) for each in zip(*ctx.rows, strict=True))
        ctx.rows.clear()
        return torch.bmm(inputs.transpose(1, 2), gradients), None


class _Use(Function):
    """``rest + inputs @ weight``; the gradient for the weight is left to `_Finish`."""

    @staticmethod
    def forward(ctx: Any, rest: Tensor, inputs: Tensor, weight: Tensor, finish: Tensor, rows: Rows) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.rows, ctx.shared = rows, rest.shape[1] != inputs.shape[1]
        return torch.baddbmm(rest, inputs, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,), (inputs, weight) = gradients, ctx.saved_tensors
        if ctx.needs_input_grad[3]:
            ctx.rows.append((inputs, gradient))
        rest = gradient.sum(1, keepdim=True) if ctx.shared else gradient
        return rest, torch.bmm(gradient, weight.transpose(1, 2)), None, gradient.new_zeros(()), None
