"""Grouped blocks of a rollout with one node of autograd per call and gradients of weights that are summed in place."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from typing_extensions import override

from headmotion.ms_sync.blocks import GroupedBlock, GroupedLinear, GroupedNorm, grouped_gelu
from headmotion.ms_sync.generator import GeneratorState, MSSyncGenerator

_rollout = MSSyncGenerator._rollout
EPSILON = 1e-5
"""Added to the variance by `torch.nn.functional.layer_norm`."""


class RolloutBlock(nn.Module):
    """A `GroupedBlock` for all frames of one rollout: ``[G, B, n_in] -> [G, B, n_out]``, differentiable once.

    Autograd would compute a gradient of all weights for each frame, and add them up. Here each frame's is added in
    place, and what follows from the weights alone is computed once: norms are merged into the layers after them.
    """

    def __init__(self, block: GroupedBlock) -> None:
        super().__init__()
        expand, project, norm = block.expand, block.project, block.norm
        weights = [
            block.scale,
            block.offset,
            norm.weight.mT * expand.weight,
            torch.baddbmm(expand.bias, norm.bias, expand.weight),
            project.weight,
            project.bias,
        ]
        if isinstance(block.skip, nn.Sequential):
            linear, skip_norm = block.skip
            assert isinstance(linear, GroupedLinear) and isinstance(skip_norm, GroupedNorm)
            weights[-1] = project.bias + skip_norm.bias
            weights += [linear.weight, linear.bias, skip_norm.weight]
        self._sums = [torch.zeros_like(weight) for weight in weights]
        self._weights = _Share.apply(self._sums, *weights)  # type: ignore[no-untyped-call]

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = _Block.apply(inputs, self._sums, *self._weights)  # type: ignore[no-untyped-call]
        return outputs


def rollout_of_blocks(
    generator: MSSyncGenerator, vectors: Tensor, state: GeneratorState
) -> tuple[Tensor, GeneratorState]:
    """Return what `MSSyncGenerator._rollout` returns, with a `RolloutBlock` for each `GroupedBlock`."""
    branches = copy.copy(generator.branches)
    branches._modules = {
        name: nn.Sequential(
            *(RolloutBlock(layer) if isinstance(layer, GroupedBlock) else layer for layer in stack.children())
        )
        for name, stack in branches.named_children()
    }
    rolling = copy.copy(generator)
    rolling._modules = {**generator._modules, "branches": branches}
    return _rollout(rolling, vectors, state)


class _Share(torch.autograd.Function):
    """Weights as they are; in a backward pass, after all that uses them, what has been added to ``sums``."""

    @staticmethod
    def forward(ctx: Any, sums: list[Tensor], *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.sums = sums
        ctx.set_materialize_grads(False)
        return tuple(weight.view_as(weight) for weight in weights)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: None) -> tuple[Tensor | None, ...]:
        taken = [total.clone() for total in ctx.sums]
        for total in ctx.sums:
            total.zero_()
        return None, *taken


class _Block(torch.autograd.Function):
    """The block with merged norms; see `RolloutBlock`."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(ctx: Any, inputs: Tensor, sums: Sequence[Tensor], *weights: Tensor) -> Tensor:
        scale, offset, expand, expand_bias, project, bias, *skip = weights
        scaled = torch.addcmul(offset, inputs, scale)
        normal, mean, rstd = torch.native_layer_norm(scaled, scaled.shape[-1:], None, None, EPSILON)
        inner = torch.baddbmm(expand_bias, normal, expand)
        activated = grouped_gelu(inner)
        total = torch.baddbmm(bias, activated, project)
        kept = []
        if skip:
            linear, linear_bias, gain = skip
            skipped = torch.baddbmm(linear_bias, inputs, linear)
            kept = [skipped, *torch.native_layer_norm(skipped, skipped.shape[-1:], None, None, EPSILON)]
            total.addcmul_(kept[1], gain)
        else:
            total += inputs
        ctx.save_for_backward(inputs, scaled, normal, mean, rstd, inner, activated, total, *kept, *weights)
        ctx.sums = sums
        return grouped_gelu(total)

    @staticmethod
    @once_differentiable
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        values, weights = ctx.saved_tensors[: -len(ctx.sums)], ctx.saved_tensors[-len(ctx.sums) :]
        inputs, scaled, normal, mean, rstd, inner, activated, total, *kept = values
        scale, _, expand, _, project, _, *skip = weights
        d_scale, d_offset, d_expand, d_expand_bias, d_project, d_bias, *d_skip = ctx.sums
        d_total = _gelu_backward(gradients[0], total)
        d_inner = _gelu_backward(_linear_backward(d_total, activated, project, d_project, d_bias), inner)
        d_normal = _linear_backward(d_inner, normal, expand, d_expand, d_expand_bias)
        d_inputs = _norm_backward(d_normal, scaled, mean, rstd)
        d_scale += (d_inputs * inputs).sum(1, keepdim=True)
        d_offset += d_inputs.sum(1, keepdim=True)
        d_inputs *= scale
        if skip:
            (linear, _, gain), (d_linear, d_linear_bias, d_gain) = skip, d_skip
            skipped, skip_normal, skip_mean, skip_rstd = kept
            d_gain += (d_total * skip_normal).sum(1, keepdim=True)
            d_skipped = _norm_backward(d_total * gain, skipped, skip_mean, skip_rstd)
            d_inputs += _linear_backward(d_skipped, inputs, linear, d_linear, d_linear_bias)
        else:
            d_inputs += d_total
        return d_inputs, None, *[None] * len(weights)


def _gelu_backward(gradient: Tensor, inputs: Tensor) -> Tensor:
    result: Tensor = torch.ops.aten.gelu_backward(gradient, inputs)
    return result


def _norm_backward(gradient: Tensor, inputs: Tensor, mean: Tensor, rstd: Tensor) -> Tensor:
    """Return the gradient of what `torch.native_layer_norm` normalized."""
    arguments = gradient, inputs, inputs.shape[-1:], mean, rstd, None, None, [True, False, False]
    result: Tensor = torch.ops.aten.native_layer_norm_backward(*arguments)[0]
    return result


def _linear_backward(gradient: Tensor, inputs: Tensor, weight: Tensor, d_weight: Tensor, d_bias: Tensor) -> Tensor:
    """Return the gradient of a grouped product's inputs, and add those of its weight and bias."""
    d_weight.baddbmm_(inputs.mT, gradient)
    d_bias += gradient.sum(1, keepdim=True)
    return gradient @ weight.mT
