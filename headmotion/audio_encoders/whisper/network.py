"""Whisper's encoder up to some layer: two convolutions and transformer layers, with a mask on the attention.

Source: Radford, Kim, Xu, Brockman, McLeavey and Sutskever, "Robust Speech Recognition via Large-Scale Weak
Supervision", arXiv 2212.04356, and its code, github.com/openai/whisper (MIT).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

HEAD_SIZE = 64
"""Numbers per attention head, in every size of Whisper."""
POSITIONS = 1500
"""Steps that Whisper has positions for: 30 seconds."""
LONGEST_PERIOD = 10_000
"""Of the sinusoidal positions, over 2 pi steps."""


class Attention(nn.Module):
    """Self-attention with its layer norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def project(self, residual: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values ``[B, heads, n, 64]`` of a residual stream ``[B, n, W]``."""
        queries, keys, values = self.qkv(self.norm(residual)).unflatten(-1, (3, -1, HEAD_SIZE)).unbind(-3)
        return queries.transpose(1, 2), keys.transpose(1, 2), values.transpose(1, 2)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return what attention adds to the residual stream, ``[B, n, W]``.

        Args:
            queries: ``[B, heads, n, 64]``.
            keys: ``[B, heads, k, 64]``.
            values: as the keys.
            mask: whether a query attends to a key, ``[n, k]`` or ``[B, 1, n, k]``; None: all queries to all keys.
        """
        heads = functional.scaled_dot_product_attention(queries, keys, values, mask)
        added: Tensor = self.out(heads.transpose(1, 2).flatten(2))
        return added


class FeedForward(nn.Module):
    """Two linear layers with their layer norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        # Named as in the files of weights.
        self.add_module("0", nn.Linear(width, 4 * width))
        self.add_module("1", nn.Linear(4 * width, width))

    @override
    def forward(self, residual: Tensor) -> Tensor:
        widen, narrow = self.get_submodule("0"), self.get_submodule("1")
        added: Tensor = narrow(functional.gelu(widen(self.norm(residual))))
        return added


class Layer(nn.Module):
    """A transformer layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = Attention(width)
        self.mlp = FeedForward(width)

    @override
    def forward(self, residual: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the residual stream ``[B, n, W]`` after the layer.

        Args:
            residual: ``[B, n, W]``.
            mask: whether a step attends to another one, ``[n, n]``; None: all steps to all.
        """
        return self.finish(residual, self.attention.attend(*self.attention.project(residual), mask))

    def finish(self, residual: Tensor, attended: Tensor) -> Tensor:
        """Return the residual stream after the layer, from what attention adds to it."""
        residual = residual + attended
        after: Tensor = residual + self.mlp(residual)
        return after


class WhisperNetwork(nn.Module):
    """The convolutions and the first layers of Whisper's encoder.

    Args:
        mels: number of mel filters.
        width: numbers per step, ``W``.
        layers: number of layers.
    """

    positions: Tensor
    """Sinusoidal positions ``[1500, W]``."""

    def __init__(self, mels: int, width: int, layers: int) -> None:
        super().__init__()
        self.mels, self.width = mels, width
        self.conv1 = nn.Conv1d(mels, width, 3)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2)
        self.blocks = nn.ModuleList(Layer(width) for _ in range(layers))
        # Not persistent: they follow from the width.
        self.register_buffer("positions", sinusoids(POSITIONS, width), persistent=False)

    @property
    def layers(self) -> list[Layer]:
        """The layers, the lowest first."""
        return [block for block in self.blocks if isinstance(block, Layer)]

    def convolve(self, mel: Tensor, first: Tensor) -> Tensor:
        """Return what the convolutions make of log-mel frames, ``[B, n, W]``.

        Args:
            mel: ``[B, 2 n + 3, M]``, from two frames before the first step on.
            first: number of the first step of each wave, int64 ``[B]`` or ``[1]``. Before step 0 both convolutions see
                zeros.
        """
        before = 2 * first.to(mel.device) - 2
        hidden = functional.gelu(_convolved(self.conv1, mel * _exists(before, mel), 1))
        return functional.gelu(_convolved(self.conv2, hidden * _exists(before + 1, hidden), 2))


def _convolved(layer: nn.Conv1d, sequence: Tensor, stride: int) -> Tensor:
    """Return a convolution over the steps of sequences ``[B, n, C]``.

    As one matrix product, which is up to seven times as fast as a convolution of a few steps.
    """
    windows = sequence.unfold(1, layer.weight.shape[2], stride)
    return functional.linear(windows.flatten(2), layer.weight.flatten(1), layer.bias)


def _exists(first: Tensor, sequence: Tensor) -> Tensor:
    """Return 0 for items of sequences ``[B, n, C]`` with a negative number, 1 for the others, ``[B, n, 1]``."""
    numbers = first[:, None] + torch.arange(sequence.shape[1], device=first.device)
    return (numbers >= 0).to(sequence.dtype).unsqueeze(2)


def sinusoids(length: int, width: int) -> Tensor:
    """Return Whisper's positions ``[length, width]``: sines in the first half of the channels, cosines in the other."""
    half = width // 2
    rates = torch.exp(-math.log(LONGEST_PERIOD) / (half - 1) * torch.arange(half, dtype=torch.float64))
    angles = torch.arange(length, dtype=torch.float64)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()
