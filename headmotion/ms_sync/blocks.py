"""Building blocks of MS-Sync: one-dimensional inverted residual blocks, whole, streamed and grouped."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

FEW, FEW_ACTIVATIONS = 4096, 1 << 14
"""Numbers that a convolution, or an activation, puts out below which preparing it takes longer than computing it."""


class ConvBlock(nn.Module):
    """Inverted residual block along time: depth-wise convolution, channel norm, expansion, projection, skip.

    ``[B, C_in, T] -> [B, C_out, ceil(T / stride)]``. The activation comes after the sum. Output ``j`` sees inputs up
    to ``stride * j + lookahead``; zeros stand before the first and after the last input. Applied to pieces of a
    sequence with `stream`, it gives the same numbers as applied to the whole. Source: MS-Sync's audio and syncer
    networks, after ConvNeXt (Liu et al. 2022).
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
        padded = functional.pad(sequence, (self.lookback, self.lookahead))
        return self._valid(padded, self.depthwise(padded))

    def init_state(self, batch: int) -> Tensor:
        """What lies before the first input of a stream."""
        return self.depthwise.weight.new_zeros(batch, self.depthwise.in_channels, self.lookback)

    def stream(self, sequence: Tensor, state: Tensor, last: bool = False) -> tuple[Tensor, Tensor]:
        """Next inputs ``[B, C_in, t]`` in, the outputs that they complete ``[B, C_out, t']`` and the state out."""
        known = torch.cat([state, sequence], dim=-1)
        if last:
            known = functional.pad(known, (0, self.lookahead))
        count = max(0, (known.shape[-1] - self.kernel) // self.stride + 1)
        if not count:
            return known.new_zeros(known.shape[0], self.project.out_features, 0), known
        used = known[..., : (count - 1) * self.stride + self.kernel]
        return self._valid(used, self._few(used)), known[..., count * self.stride :]

    def _few(self, padded: Tensor) -> Tensor:
        """The depth-wise convolution, for a frame or so by plain products, which take no preparation."""
        taps, bias = padded.unfold(-1, self.kernel, self.stride), self.depthwise.bias
        if bias is None or taps[..., 0].numel() > FEW:
            convolved: Tensor = self.depthwise(padded)
            return convolved
        return (taps * self.depthwise.weight).sum(-1) + bias.unsqueeze(-1)

    def _valid(self, padded: Tensor, convolved: Tensor) -> Tensor:
        inner = self.norm(convolved.transpose(1, 2))
        inner = self.project(functional.gelu(self.expand(inner)))
        skipped = padded[..., self.lookback : padded.shape[-1] - self.lookahead : self.stride].transpose(1, 2)
        return functional.gelu(inner + self.skip(skipped)).transpose(1, 2)


def along_longer(matrices: Tensor) -> Tensor:
    """The same matrices ``[..., m, n]``, laid in memory along their longer side: products of few rows read them so."""
    rows, columns = matrices.shape[-2:]
    return matrices.mT.contiguous().mT if rows > columns else matrices


class GroupedLinear(nn.Module):
    """``G`` linear layers side by side as one batched product: ``[G, B, n_in] -> [G, B, n_out]``."""

    def __init__(self, groups: int, features_in: int, features_out: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(features_in)
        weight = torch.empty(groups, features_in, features_out).uniform_(-bound, bound)
        self.weight = nn.Parameter(along_longer(weight))
        self.bias = nn.Parameter(torch.empty(groups, 1, features_out).uniform_(-bound, bound))

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, inputs, self.weight)

    def front(self, inputs: Tensor, rest: Tensor) -> Tensor:
        """The layer on its first inputs alone, ``[G, B, n]``; ``rest`` is what the others and the bias come to."""
        return torch.baddbmm(rest, inputs, self.weight[:, : inputs.shape[-1]])

    def back(self, inputs: Tensor) -> Tensor:
        """The layer on its last inputs alone, ``[G, B, n]``, without the bias."""
        return torch.bmm(inputs, self.weight[:, -inputs.shape[-1] :])


M = TypeVar("M", bound=nn.Module)


def replaceable(layer: GroupedLinear) -> bool:
    """Whether a rollout may use a `twin`: autocast gives products another type, and an exported graph has the tree."""
    return not (torch.compiler.is_compiling() or torch.is_autocast_enabled(layer.weight.device.type))


def twin(module: M, other: Callable[[GroupedLinear], nn.Module]) -> M:
    """A copy of a tree that shares all parameters, with other layers in place of its grouped linear ones."""
    copied = copy.copy(module)
    copied._modules = {
        name: other(child) if isinstance(child, GroupedLinear) else twin(child, other)
        for name, child in module.named_children()
    }
    return copied


class GroupedNorm(nn.Module):
    """Layer norm over the last dimension with an own affine map per group: ``[G, B, n] -> [G, B, n]``."""

    def __init__(self, groups: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(groups, 1, features))
        self.bias = nn.Parameter(torch.zeros(groups, 1, features))

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.addcmul(self.bias, functional.layer_norm(inputs, inputs.shape[-1:]), self.weight)


class GroupedBlock(nn.Module):
    """`ConvBlock` of kernel 1 on single frames, ``G`` of them side by side: ``[G, B, n_in] -> [G, B, n_out]``."""

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
        return self.summed(expanded, self.skip(inputs))

    def summed(self, expanded: Tensor, skipped: Tensor) -> Tensor:
        """What comes after the expansion and the skip."""
        return grouped_gelu(self.project(grouped_gelu(expanded)) + skipped)


def grouped_gelu(inputs: Tensor) -> Tensor:
    """GELU of ``[G, B, n]``; of few numbers by torch's own kernel, for oneDNN takes longer to prepare than to compute.

    Torch leaves to oneDNN what lies in memory in the order of its dimensions.
    """
    if inputs.numel() >= FEW_ACTIVATIONS or torch.compiler.is_compiling():
        return functional.gelu(inputs)
    return functional.gelu(inputs.transpose(0, 2)).transpose(0, 2)


def grouped_stack(groups: int, features_in: int, features_out: int, blocks: int, expansion: int = 4) -> nn.Sequential:
    """``blocks`` grouped blocks that halve the width down to ``features_out``, then a grouped linear layer."""
    widths = [features_in] + [max(features_in // 2**i, features_out) for i in range(1, blocks + 1)]
    layers = [GroupedBlock(groups, a, b, expansion) for a, b in itertools.pairwise(widths)]
    return nn.Sequential(*layers, GroupedLinear(groups, widths[-1], features_out))


def pose_encoder(features_in: int, hidden: int, features_out: int, expansion: int = 4) -> nn.Sequential:
    """Flat poses ``[..., F] -> [..., features_out]`` by two hidden layers."""
    return nn.Sequential(
        nn.Linear(features_in, hidden),
        nn.LayerNorm(hidden),
        nn.Linear(hidden, expansion * hidden),
        nn.GELU(),
        nn.Linear(expansion * hidden, features_out),
    )


def standardizer(channels: int) -> nn.BatchNorm1d:
    """Zero mean and unit variance per channel of ``[B, C, T]``, by statistics of the training data."""
    # A plain mean over all batches: a moving one would remember its start for long.
    return nn.BatchNorm1d(channels, momentum=None, affine=False)
