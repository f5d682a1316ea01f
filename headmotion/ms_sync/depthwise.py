"""Depth-wise convolution tap by tap, for training on the CPU: torch's own takes longer there, most of all backward."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def trains_on_cpu(sequence: Tensor) -> bool:
    """Return whether autograd may ask for a gradient of what is computed from a sequence, on the CPU."""
    return sequence.device.type == "cpu" and torch.is_grad_enabled() and not torch.compiler.is_compiling()


def convolve_by_taps(convolution: nn.Conv1d, sequence: Tensor, lookback: int) -> Tensor:
    """Return a depth-wise convolution with zeros around the sequence, one output per ``stride`` inputs.

    Args:
        convolution: with one group per channel and a bias; its padding does not count.
        sequence: ``[B, T, C]``.
        lookback: taps before the input that an output belongs to.

    Returns:
        ``[B, ceil(T / stride), C]``. Differentiable once.
    """
    (stride,) = convolution.stride
    weight, bias = convolution.weight, convolution.bias
    convolved: Tensor = _Taps.apply(sequence, weight, bias, stride, lookback)  # type: ignore[no-untyped-call]
    return convolved


class _Taps(torch.autograd.Function):
    """Convolve ``[B, T, C]`` by ``weight [C, 1, K]`` and ``bias [C]``, one product per tap, without a padded copy."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(ctx: Any, sequence: Tensor, weight: Tensor, bias: Tensor, stride: int, lookback: int) -> Tensor:
        taps, length = weight[:, 0].t().contiguous(), sequence.shape[1]
        convolved = torch.addcmul(bias, sequence[:, ::stride], taps[lookback])
        ctx.others = [(tap, *_reached(tap - lookback, length, stride)) for tap in range(len(taps)) if tap != lookback]
        for tap, outputs, inputs in ctx.others:
            convolved[:, outputs].addcmul_(sequence[:, inputs], taps[tap])
        ctx.save_for_backward(sequence, taps)
        ctx.stride, ctx.lookback = stride, lookback
        return convolved

    @staticmethod
    @once_differentiable
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        (sequence, taps), (gradient,) = ctx.saved_tensors, gradients
        own = slice(None, None, ctx.stride)
        d_sequence = d_weight = d_bias = None
        if ctx.needs_input_grad[0]:
            d_sequence = gradient * taps[ctx.lookback]
            if ctx.stride > 1:
                d_sequence, d_own = torch.zeros_like(sequence), d_sequence
                d_sequence[:, own] = d_own
            for tap, outputs, inputs in ctx.others:
                d_sequence[:, inputs].addcmul_(gradient[:, outputs], taps[tap])
        if ctx.needs_input_grad[1]:
            d_weight, d_bias = torch.empty_like(taps), gradient.sum((0, 1))
            for tap, outputs, inputs in [*ctx.others, (ctx.lookback, slice(None), own)]:
                torch.sum(gradient[:, outputs] * sequence[:, inputs], (0, 1), out=d_weight[tap])
            d_weight = d_weight.t().unsqueeze(1)
        return d_sequence, d_weight, d_bias, None, None


def _reached(shift: int, length: int, stride: int) -> tuple[slice, slice]:
    """Return the outputs whose input, ``shift`` after their own, lies within the sequence, and these inputs."""
    first = max(0, -(shift // stride))
    last = max(first, (length - 1 - shift) // stride + 1)
    last = min(last, -(-length // stride))
    return slice(first, last), slice(first * stride + shift, max(0, (last - 1) * stride + shift + 1), stride)
