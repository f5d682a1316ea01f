"""The trunk: residual blocks of convolutions over time with a stated look-ahead, offline or streamed."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override


class TrunkBlock(nn.Module):
    """Depth-wise convolution over time, layer norm, a hidden layer per frame, and a skip: ``[B, T, W] -> [B, T', W]``.

    Zeros stand before the first input; the last ``lookahead`` inputs get no output. Source: after ConvNeXt (Liu and
    others 2022).

    Args:
        width: channels.
        kernel: frames of the convolution.
        lookahead: frames of them that lie ahead.
        expansion: factor of the hidden layer's width.
    """

    def __init__(self, width: int, kernel: int, lookahead: int, expansion: int) -> None:
        super().__init__()
        self.lookahead, self.lookback = lookahead, kernel - 1 - lookahead
        self.depthwise = nn.Conv1d(width, width, kernel, groups=width)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, expansion * width)
        self.project = nn.Linear(expansion * width, width)

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        return self._convolved(functional.pad(inputs, (0, 0, self.lookback, 0)))

    def init_state(self, batch: int) -> Tensor:
        """Return the zeros before the first input of a stream, ``[B, lookback, W]``."""
        return self.norm.weight.new_zeros(batch, self.lookback, self.norm.weight.shape[0])

    def stream(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Process the next inputs of a stream.

        Args:
            inputs: ``[B, t, W]``.
            state: inputs that are still needed, from `init_state` or the previous call.

        Returns:
            The outputs that are now determined, ``[B, t', W]``, and the new state.
        """
        inputs = torch.cat([state, inputs], dim=1)
        count = max(0, inputs.shape[1] - self.lookback - self.lookahead)
        return (self._convolved(inputs) if count else inputs[:, :0]), inputs[:, count:]

    def _convolved(self, padded: Tensor) -> Tensor:
        normed = self.norm(self.depthwise(padded.mT).mT)
        inner: Tensor = self.project(functional.gelu(self.expand(normed)))
        return inner + padded[:, self.lookback : padded.shape[1] - self.lookahead]


class Trunk(nn.Module):
    """A stack of blocks whose look-aheads add up to ``lookahead`` frames: ``[B, T, W] -> [B, T, W]``.

    At the end the last input is repeated as often as the stack looks ahead, so that a silence stays one to its end.

    Args:
        width: channels.
        blocks: number of blocks.
        kernel: frames that each block covers.
        lookahead: frames that all together look ahead; the first blocks take as much as the others or one more.
        expansion: factor of the hidden layers' widths.
    """

    def __init__(self, width: int, blocks: int, kernel: int, lookahead: int, expansion: int) -> None:
        super().__init__()
        self.lookahead = lookahead
        per_block, remainder = divmod(lookahead, blocks)
        self.blocks = nn.ModuleList(
            TrunkBlock(width, max(kernel, per_block + 2), per_block + (block < remainder), expansion)
            for block in range(blocks)
        )
        self.norm = nn.LayerNorm(width)

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        inputs = torch.cat([inputs, inputs[:, -1:].repeat(1, self.lookahead, 1)], dim=1)
        for block in self.blocks:
            inputs = block(inputs)
        outputs: Tensor = self.norm(inputs)
        return outputs

    def init_state(self, batch: int) -> tuple[Tensor, ...]:
        """Return the state at the start of a stream, one tensor per block."""
        return tuple(block.init_state(batch) for block in self.blocks)  # type: ignore[operator]

    def step(self, inputs: Tensor, states: tuple[Tensor, ...], last: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Process the next inputs of a stream; see `TrunkBlock.stream`.

        Args:
            inputs: ``[B, t, W]``.
            states: state of each block.
            last: whether the sequence ends here.
        """
        if last:
            newest = torch.cat([states[0], inputs], dim=1)[:, -1:]  # the first block keeps what it still needs
            inputs = torch.cat([inputs, newest.repeat(1, self.lookahead, 1)], dim=1)
        after = []
        for block, state in zip(self.blocks, states, strict=True):
            inputs, state = block.stream(inputs, state)  # type: ignore[operator]
            after.append(state)
        return self.norm(inputs), tuple(after)
