"""Building blocks of MS-Sync: one-dimensional inverted residual blocks, offline, streamed and grouped."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from .depthwise import convolve_by_taps, trains_on_cpu

MIN_CONV_OUTPUTS, MIN_GELU_INPUTS = 4096, 1 << 14
"""Sizes below which the setup of torch's convolution, or of oneDNN's activation, takes longer than the arithmetic.

`python -m benchmarks.goals.profile` measures what either detour is worth; docs/where-the-time-goes.md has the ratios.
"""


class ConvBlock(nn.Module):
    """Inverted residual block along time: depth-wise convolution, channel norm, expansion, projection, skip.

    ``[B, C_in, T] -> [B, C_out, ceil(T / stride)]``. The activation comes after the sum. Output ``j`` depends on
    inputs up to ``stride * j + lookahead``; zeros stand before the first and after the last input. Streamed in chunks
    with `stream`, a sequence gives the same outputs as in one call. Source: MS-Sync's audio and syncer networks, after
    ConvNeXt (Liu et al. 2022).

    Args:
        channels_in: ``C_in``.
        channels_out: ``C_out``.
        kernel: taps of the convolution, at least the stride.
        stride: inputs per output.
        expansion: factor of the inner width.
        lookahead: taps ahead; -1 centers the kernel.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, expansion: int = 4, lookahead: int = -1
    ) -> None:
        super().__init__()
        if kernel < stride:
            raise ValueError(f"a kernel of at least the stride is needed, got {kernel} and {stride}")
        self.kernel, self.stride = kernel, stride
        self.lookahead = (kernel - 1) // 2 if lookahead < 0 else lookahead
        self.lookback = kernel - 1 - self.lookahead
        self.depthwise = nn.Conv1d(channels_in, channels_in, kernel, stride, groups=channels_in)
        self.norm = nn.LayerNorm(channels_in)
        self.expand = nn.Linear(channels_in, expansion * channels_in)
        self.project = nn.Linear(expansion * channels_in, channels_out)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.skip = nn.Sequential(nn.Linear(channels_in, channels_out), nn.LayerNorm(channels_out))

    @override
    def forward(self, sequence: Tensor) -> Tensor:
        if trains_on_cpu(sequence):
            channels_last = sequence.mT
            convolved = convolve_by_taps(self.depthwise, channels_last, self.lookback)
            return self._after_convolution(channels_last[:, :: self.stride], convolved)
        padded = functional.pad(sequence, (self.lookback, self.lookahead))
        return self._after_convolution(self._own_inputs(padded), self.depthwise(padded).mT)

    def init_state(self, batch: int) -> Tensor:
        """Return the zeros before the first input of a stream, ``[B, C_in, lookback]``."""
        return self.depthwise.weight.new_zeros(batch, self.depthwise.in_channels, self.lookback)

    def stream(self, sequence: Tensor, state: Tensor, last: bool = False) -> tuple[Tensor, Tensor]:
        """Process the next inputs of a stream.

        Args:
            sequence: ``[B, C_in, t]``.
            state: inputs that are still needed, from `init_state` or the previous call.
            last: whether the sequence ends here.

        Returns:
            The outputs that are now determined, ``[B, C_out, t']``, and the new state.
        """
        inputs = torch.cat([state, sequence], dim=-1)
        if last:
            inputs = functional.pad(inputs, (0, self.lookahead))
        count = max(0, (inputs.shape[-1] - self.kernel) // self.stride + 1)
        if not count:
            return inputs.new_zeros(inputs.shape[0], self.project.out_features, 0), inputs
        padded = inputs[..., : (count - 1) * self.stride + self.kernel]
        outputs = self._after_convolution(self._own_inputs(padded), self._convolve_short(padded).mT)
        return outputs, inputs[..., count * self.stride :]

    def _convolve_short(self, padded: Tensor) -> Tensor:
        """Apply the depth-wise convolution, to a frame or so by plain products, which need no setup."""
        taps, bias = padded.unfold(-1, self.kernel, self.stride), self.depthwise.bias
        if bias is None or taps[..., 0].numel() > MIN_CONV_OUTPUTS:
            convolved: Tensor = self.depthwise(padded)
            return convolved
        return (taps * self.depthwise.weight).sum(-1) + bias.unsqueeze(-1)

    def _own_inputs(self, padded: Tensor) -> Tensor:
        """Return the inputs that outputs belong to, ``[B, T', C_in]``, of those with zeros around, ``[B, C_in, T]``."""
        return padded[..., self.lookback : padded.shape[-1] - self.lookahead : self.stride].mT

    def _after_convolution(self, inputs: Tensor, convolved: Tensor) -> Tensor:
        """Return the block's outputs ``[B, C_out, T']`` from its inputs and these convolved, each ``[B, T', C_in]``."""
        inner = self.project(functional.gelu(self.expand(self.norm(convolved))))
        if self.stride != 1 or inner.shape[-1] != inputs.shape[-1]:
            # With frozen weights, torch multiplies sequences that are not contiguous one by one.
            inputs = inputs.contiguous()
        return functional.gelu(inner + self.skip(inputs)).mT


class GroupedLinear(nn.Module):
    """``G`` linear layers as one batched product: ``[G, B, n_in] -> [G, B, n_out]``."""

    def __init__(self, groups: int, features_in: int, features_out: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(features_in)
        weight = torch.empty(groups, features_in, features_out).uniform_(-bound, bound)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.empty(groups, 1, features_out).uniform_(-bound, bound))

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, inputs, self.weight)


class GroupedNorm(nn.Module):
    """Layer norm over the last dimension with an affine map per group: ``[G, B, n] -> [G, B, n]``."""

    def __init__(self, groups: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(groups, 1, features))
        self.bias = nn.Parameter(torch.zeros(groups, 1, features))

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.addcmul(self.bias, functional.layer_norm(inputs, inputs.shape[-1:]), self.weight)


class GroupedBlock(nn.Module):
    """``G`` blocks like `ConvBlock` with kernel 1, on single frames: ``[G, B, n_in] -> [G, B, n_out]``."""

    def __init__(self, groups: int, features_in: int, features_out: int, expansion: int = 4) -> None:
        super().__init__()
        # A depth-wise convolution of one tap is a scale and an offset per channel.
        self.scale = nn.Parameter(torch.empty(groups, 1, features_in).uniform_(-1, 1))
        self.offset = nn.Parameter(torch.empty(groups, 1, features_in).uniform_(-1, 1))
        self.norm = GroupedNorm(groups, features_in)
        self.expand = GroupedLinear(groups, features_in, expansion * features_in)
        self.project = GroupedLinear(groups, expansion * features_in, features_out)
        self.skip: nn.Module = nn.Identity()
        if features_in != features_out:
            self.skip = nn.Sequential(
                GroupedLinear(groups, features_in, features_out), GroupedNorm(groups, features_out)
            )

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        expanded = self.expand(self.norm(torch.addcmul(self.offset, inputs, self.scale)))
        return grouped_gelu(self.project(grouped_gelu(expanded)) + self.skip(inputs))


def grouped_gelu(inputs: Tensor) -> Tensor:
    """Return the GELU of ``[G, B, n]``."""
    if inputs.numel() >= MIN_GELU_INPUTS or torch.compiler.is_compiling():
        return functional.gelu(inputs)
    # Torch leaves to oneDNN only tensors whose memory is in the order of their dimensions, so a transposed view is
    # computed by torch's own kernel.
    return functional.gelu(inputs.transpose(0, 2)).transpose(0, 2)


def grouped_stack(groups: int, features_in: int, features_out: int, blocks: int, expansion: int = 4) -> nn.Sequential:
    """Build grouped blocks that halve the width down to ``features_out``, then a grouped linear layer."""
    widths = [features_in] + [max(features_in // 2**i, features_out) for i in range(1, blocks + 1)]
    layers = [GroupedBlock(groups, size_in, size_out, expansion) for size_in, size_out in itertools.pairwise(widths)]
    return nn.Sequential(*layers, GroupedLinear(groups, widths[-1], features_out))


def pose_encoder(features_in: int, hidden: int, features_out: int, expansion: int = 4) -> nn.Sequential:
    """Build a network of two hidden layers for flat poses, ``[..., F] -> [..., features_out]``."""
    return nn.Sequential(
        nn.Linear(features_in, hidden),
        nn.LayerNorm(hidden),
        nn.Linear(hidden, expansion * hidden),
        nn.GELU(),
        nn.Linear(expansion * hidden, features_out),
    )


def standardizer(channels: int) -> nn.BatchNorm1d:
    """Build a layer that brings each channel of ``[B, C, T]`` to zero mean and unit variance over the training data."""
    # A plain mean over all batches, because a moving one would remember its start for long.
    return nn.BatchNorm1d(channels, momentum=None, affine=False)
