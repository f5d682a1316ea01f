"""The points of a face: MediaPipe's Face Mesh, version 2 (Kartynnik et al. 2019; Grishchenko et al. 2020)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

INPUT_EDGE = 256
"""Edge of the network's input in pixels; colors are in 0..1."""
POINTS = 478
"""468 of the face, 5 of each iris."""

_STAGES = (16, 32, 64, 128, 128, 128, 128)
"""Channels of each stage; every stage but the first halves the picture, from 128 x 128 to 2 x 2."""
_BLOCKS = 4
"""Of each stage, after the one that halves the picture."""


class MeshNetwork(nn.Module):
    """478 points and whether there is a face, from the crop of a face.

    Unlike the networks of the papers it is one path: eyes and lips have no crops of their own. A third output of the
    published file, which MediaPipe does not read, is left out. Names of parameters are those in the weights file.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _STAGES[0], 3, stride=2)
        self.stem_slope = nn.PReLU(_STAGES[0])
        blocks = [_Block(_STAGES[0], _STAGES[0]) for _ in range(_BLOCKS)]
        for before, channels in pairwise(_STAGES):
            blocks.append(_Block(before, channels, halving=True))
            blocks += [_Block(channels, channels) for _ in range(_BLOCKS)]
        self.blocks = nn.Sequential(*blocks)
        self.presence = nn.Conv2d(_STAGES[-1], 1, 2)
        self.points = nn.Conv2d(_STAGES[-1], POINTS * 3, 2)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return points ``[B, 478, 3]`` in pixels of the crops ``[B, 3, 256, 256]`` in 0..1, and logits ``[B]``."""
        features = self.stem_slope(self.stem(functional.pad(crops, (0, 1, 0, 1))))
        features = self.blocks(features)
        return self.points(features).reshape(-1, POINTS, 3), self.presence(features).reshape(-1)


class _Block(nn.Module):
    """A bottleneck with a depth-wise convolution with a shortcut, to which missing channels are added as zeros."""

    def __init__(self, channels: int, out: int, halving: bool = False) -> None:
        super().__init__()
        self.halving, self.added = halving, out - channels
        inner, edge = out // 2, 2 if halving else 1
        self.reduce = nn.Conv2d(channels, inner, edge, stride=edge)
        self.inner_slope = nn.PReLU(inner)
        self.depthwise = nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False)
        self.expand = nn.Conv2d(inner, out, 1)
        self.slope = nn.PReLU(out)

    def forward(self, features: Tensor) -> Tensor:
        residual = self.expand(self.depthwise(self.inner_slope(self.reduce(features))))
        shortcut = functional.max_pool2d(features, 2) if self.halving else features
        if self.added:
            shortcut = functional.pad(shortcut, (0, 0, 0, 0, 0, self.added))
        # In place, because these networks wait for memory more than for arithmetic.
        activated: Tensor = self.slope(residual.add_(shortcut))
        return activated
