"""The part of a branch's first block that hangs on the audio alone, computed for many frames at once.

A branch reads pose and audio together, and only the pose has to wait for the frame before. What the block's products
make of the audio is therefore taken out of the loop over frames. Layer norm stands before them and looks at both, so
its mean and variance are put together from those of either part (Chan, Golub and LeVeque 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from .blocks import GroupedBlock, GroupedLinear

ROWS = 256
"""Frames times clips that are computed at once: enough for a product at full speed, without much memory."""
FEW = 1 << 17
"""Weights of the audio's part, per branch, below which it is not worth it."""
EPSILON = 1e-5
"""Of layer norm."""


@dataclass(frozen=True)
class Heard:
    """What the audio of one frame comes to, for ``G`` branches and ``B`` clips.

    With the mean ``m`` and the inverse deviation ``r`` over all inputs, the audio adds ``fixed + r * (expanded - m *
    ones)`` to the expansion.
    """

    expanded: Tensor
    """``[G, B, wide]``."""
    skipped: Tensor
    """Its part of the skip, ``[G, B, n_out]``; where the skip has no layer, the audio itself."""
    mean: Tensor
    """Of the scaled and offset audio, ``[G, B, 1]``."""
    variance: Tensor
    """Mean square distance of the audio from its mean, as a share of all inputs, ``[G, B, 1]``."""
    fixed: Tensor
    """``[G, 1, wide]``."""
    ones: Tensor
    """``[G, 1, wide]``."""


def worth_hearing(block: GroupedBlock, size: int) -> bool:
    """Whether a block with ``size`` numbers of audio among its inputs gets faster; the result is the same."""
    return size * block.expand.weight.shape[-1] >= FEW


def hear(block: GroupedBlock, audio: Tensor) -> list[Heard]:
    """The last inputs ``[T, G, B, n]`` of a block, frame by frame."""
    frames, groups, batch, size = audio.shape
    rows = audio.transpose(0, 1).reshape(groups, frames * batch, size)
    weight, bias = block.norm.weight[..., -size:], block.norm.bias[..., -size:]
    scaled = torch.addcmul(block.offset[..., -size:], rows, block.scale[..., -size:])
    mean = scaled.mean(-1, keepdim=True)
    variance = (scaled - mean).square().sum(-1, keepdim=True) / block.scale.shape[-1]
    # The norm's own scale and offset pass through the same product, as two more rows.
    product = block.expand.back(torch.cat([scaled * weight, weight, bias], dim=1))
    expanded, ones, fixed = torch.split(product, [frames * batch, 1, 1], dim=1)
    skipped = rows
    if isinstance(block.skip, nn.Sequential):
        linear = cast(GroupedLinear, block.skip[0])
        skipped = linear.back(rows) + linear.bias
    fixed = fixed + block.expand.bias
    every = (expanded, skipped, mean, variance)
    by_frame = [each.reshape(groups, frames, batch, -1).unbind(1) for each in every]
    return [Heard(e, s, m, v, fixed, ones) for e, s, m, v in zip(*by_frame, strict=True)]


def opened(block: GroupedBlock, shared: Tensor, heard: Heard) -> Tensor:
    """A block's output ``[G, B, n_out]`` from its first inputs ``[B, n]`` and what was heard of the last."""
    size, every = shared.shape[-1], block.scale.shape[-1]
    scaled = torch.addcmul(block.offset[..., :size], shared, block.scale[..., :size])
    mean = torch.lerp(heard.mean, scaled.mean(-1, keepdim=True), size / every)
    centered, apart = scaled - mean, heard.mean - mean
    variance = torch.addcmul(heard.variance, apart, apart, value=1 - size / every)
    variance = torch.add(variance, centered.square().mean(-1, keepdim=True), alpha=size / every)
    inverse = (variance + EPSILON).rsqrt()
    normed = torch.addcmul(block.norm.bias[..., :size], centered * inverse, block.norm.weight[..., :size])
    rest = torch.addcmul(heard.fixed, inverse, torch.addcmul(heard.expanded, mean, heard.ones, value=-1))
    inputs = shared.expand(len(scaled), -1, -1)
    if isinstance(block.skip, nn.Sequential):
        linear, norm = cast(tuple[GroupedLinear, nn.Module], tuple(block.skip))
        skipped = norm(linear.front(inputs, heard.skipped))
    else:
        skipped = torch.cat([inputs, heard.skipped], dim=-1)
    return block.summed(block.expand.front(normed, rest), skipped)
