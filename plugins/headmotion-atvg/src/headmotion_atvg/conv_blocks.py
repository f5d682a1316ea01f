"""Building blocks of VG-net: convolutions with batch norm, and a convolutional GRU."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

STD = 0.02
"""Standard deviation of initial weights."""


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return a convolution that keeps the size (divided by ``stride``), batch norm and ReLU."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, padding_mode="reflect" if kernel > 3 else "zeros")
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


def enlarge(inputs: int, outputs: int) -> nn.Sequential:
    """Return a transposed convolution that doubles the size, batch norm and ReLU."""
    layer = nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


def draw_initial_weights(module: nn.Module) -> None:
    """Draw the weights of convolutions and linear layers from a normal distribution, as published; biases are zero."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, std=STD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class Residual(nn.Module):
    """Two convolutions with batch norm and a skip connection."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv(width, width),
            nn.Dropout(dropout),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``[N, C, H, W]`` to others of the same shape."""
        return cast("Tensor", features + self.layers(features))


class ConvGRU(nn.Module):
    """A GRU whose products are convolutions of kernel 3 and dilation 2.

    ``h' = n + z (h - n)`` with ``n = tanh(W x + r (U h))``.
    """

    def __init__(self, inputs: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.hidden_size, self.dropout = hidden, nn.Dropout(dropout)
        self.from_input = nn.Conv2d(inputs, 3 * hidden, 3, padding=2, dilation=2)
        self.from_state = nn.Conv2d(hidden, 3 * hidden, 3, padding=2, dilation=2)

    def forward(self, sequence: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run over a sequence.

        Args:
            sequence: ``[B, T, C, H, W]``.
            state: ``[B, hidden, H, W]``; None is all zeros.

        Returns:
            The states after each frame, ``[B, T, hidden, H, W]``, and the last one.
        """
        batch, frames, _, height, width = sequence.shape
        hidden = sequence.new_zeros(batch, self.hidden_size, height, width) if state is None else state
        # Of all frames at once, because only the other product needs the frame before.
        projected = self.from_input(self.dropout(sequence).flatten(0, 1)).unflatten(0, (batch, frames))
        states = []
        for inputs in projected.unbind(1):
            reset, update, candidate = inputs.chunk(3, dim=1)
            recurrent_reset, recurrent_update, recurrent_candidate = self.from_state(hidden).chunk(3, dim=1)
            update = torch.sigmoid(update + recurrent_update)
            new = torch.tanh(candidate + torch.sigmoid(reset + recurrent_reset) * recurrent_candidate)
            hidden = new + update * (hidden - new)
            states.append(hidden)
        stacked = torch.stack(states, dim=1) if states else projected[:, :, : self.hidden_size]
        return stacked, hidden
