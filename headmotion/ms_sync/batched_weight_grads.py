"""Gradients of weights that a rollout uses at every frame, computed once for all frames.

Backpropagation through time adds to a weight's gradient at each frame: a product of few rows that writes as many
numbers as there are weights, and another pass that adds them up. Here the frames' inputs and gradients are collected,
and one product of all rows is computed at the end.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd import Function
from typing_extensions import override

from .blocks import GroupedLinear

if TYPE_CHECKING:
    from .generator import Branches

M = TypeVar("M", bound=nn.Module)
Uses = list[tuple[Tensor, Tensor]]
"""Inputs ``[G, B, n_in]`` and gradients ``[G, B, n_out]`` of each use of a weight."""


def with_batched_grads(branches: Branches) -> Branches:
    """Return the branches for one rollout, with the same parameters; the branches themselves if they do not learn."""
    weight = next(branches.parameters())
    learns = torch.is_grad_enabled() and weight.requires_grad
    # Autocast gives products another type, and a compiled graph must be one of the plain modules.
    can_substitute_layers = not (torch.compiler.is_compiling() or torch.is_autocast_enabled(weight.device.type))
    return with_layers_replaced(branches) if learns and can_substitute_layers else branches


def with_layers_replaced(module: M) -> M:
    """Return a copy of a module that shares all parameters, with `BatchedGradLinear` for its `GroupedLinear` layers."""
    copied = copy.copy(module)
    copied._modules = {
        name: BatchedGradLinear(child) if isinstance(child, GroupedLinear) else with_layers_replaced(child)
        for name, child in module.named_children()
    }
    return copied


class BatchedGradLinear(nn.Module):
    """A `GroupedLinear` for one rollout, with the same parameters."""

    weight: nn.Parameter
    """``[G, n_in, n_out]``."""
    bias: nn.Parameter
    """``[G, 1, n_out]``."""

    def __init__(self, linear: GroupedLinear) -> None:
        super().__init__()
        self._parameters = linear._parameters
        self._uses: Uses = []
        self._weight: tuple[Tensor, Tensor] | None = None

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        if self._weight is None:
            dummy: Tensor = _WeightGrad.apply(self.weight, self._uses)  # type: ignore[no-untyped-call]
            self._weight = self.weight.detach(), dummy
        product: Tensor = _Use.apply(self.bias, inputs, *self._weight, self._uses)  # type: ignore[no-untyped-call]
        return product


class _WeightGrad(Function):
    """Replaces the weight by a dummy scalar, so that its gradient is computed once, after the backward of all uses."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, uses: Uses) -> Tensor:
        ctx.uses = uses
        return weight.new_zeros(())

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> Any:
        inputs, gradients = (torch.cat(rows, dim=1) for rows in zip(*ctx.uses, strict=True))
        # Emptied, so that a second backward starts anew.
        ctx.uses.clear()
        return torch.bmm(inputs.transpose(1, 2), gradients), None


class _Use(Function):
    """``bias + inputs @ weight``; the gradient of the weight is left to `_WeightGrad`, through the dummy."""

    @staticmethod
    def forward(ctx: Any, bias: Tensor, inputs: Tensor, weight: Tensor, dummy: Tensor, uses: Uses) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.uses = uses
        return torch.baddbmm(bias, inputs, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,), (inputs, weight) = gradients, ctx.saved_tensors
        if ctx.needs_input_grad[3]:
            ctx.uses.append((inputs, gradient))
        input_gradient = torch.bmm(gradient, weight.transpose(1, 2))
        return gradient.sum(1, keepdim=True), input_gradient, None, gradient.new_zeros(()), None
