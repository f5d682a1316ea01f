"""I3D, Inception-v1 inflated to video, as FVD uses it. Source: Carreira and Zisserman 2017; Unterthiner et al. 2018.

The names of the weights are those of the common PyTorch conversion of DeepMind's ``rgb_imagenet``.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

CLASSES = 400
"""Classes of Kinetics-400."""

Size3d = tuple[int, int, int]
"""Sizes along time, height and width."""


def _pad_same(video: Tensor, kernel: Size3d, stride: Size3d) -> Tensor:
    """Pad ``[N, C, T, H, W]`` with zeros like TensorFlow's ``SAME``: an odd one goes to the end."""
    padding: list[int] = []
    for length, taps, step in zip(video.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):
        missing = max(0, taps - (step if length % step == 0 else length % step))
        padding += [missing // 2, missing - missing // 2]
    return functional.pad(video, padding)


def _max_pool(video: Tensor, kernel: Size3d, stride: Size3d) -> Tensor:
    # The input comes from a ReLU, so padding with zeros is as good as padding with minus infinity.
    return functional.max_pool3d(_pad_same(video, kernel, stride), kernel, stride)


class ConvUnit(nn.Module):
    """Convolution over time and space, batch norm, ReLU."""

    def __init__(self, channels_in: int, channels_out: int, side: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = (side,) * 3, (stride,) * 3
        self.conv3d = nn.Conv3d(channels_in, channels_out, self.kernel, self.stride, bias=False)
        self.bn = nn.BatchNorm3d(channels_out, eps=0.001, momentum=0.01)

    @override
    def forward(self, video: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv3d(_pad_same(video, self.kernel, self.stride))))


class InflatedBlock(nn.Module):
    """Four parallel branches, concatenated along channels; widths as in GoogLeNet's table (Szegedy et al. 2015)."""

    def __init__(self, width: int, w0: int, w1a: int, w1b: int, w2a: int, w2b: int, w3: int) -> None:
        super().__init__()
        self.b0 = ConvUnit(width, w0)
        self.b1a, self.b1b = ConvUnit(width, w1a), ConvUnit(w1a, w1b, 3)
        self.b2a, self.b2b = ConvUnit(width, w2a), ConvUnit(w2a, w2b, 3)
        self.b3b = ConvUnit(width, w3)

    @override
    def forward(self, video: Tensor) -> Tensor:
        pooled = _max_pool(video, (3, 3, 3), (1, 1, 1))
        branches = [self.b0(video), self.b1b(self.b1a(video)), self.b2b(self.b2a(video)), self.b3b(pooled)]
        return torch.cat(branches, 1)


class Logits(nn.Module):
    """Class scores at every position and time step."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(1024, CLASSES, 1)

    @override
    def forward(self, video: Tensor) -> Tensor:
        scores: Tensor = self.conv3d(video)
        return scores


class I3D(nn.Module):
    """Network from videos ``[N, 3, T, 224, 224]`` to the logits of all time steps, ``[N, 400 * steps]``.

    40 frames give 4 steps, 80 give 9.
    """

    pools = {  # noqa: RUF012 - kernel and stride of the max pooling in front of a layer
        "Conv3d_2b_1x1": ((1, 3, 3), (1, 2, 2)),
        "Mixed_3b": ((1, 3, 3), (1, 2, 2)),
        "Mixed_4b": ((3, 3, 3), (2, 2, 2)),
        "Mixed_5b": ((2, 2, 2), (2, 2, 2)),
    }

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = ConvUnit(3, 64, 7, 2)
        self.Conv3d_2b_1x1 = ConvUnit(64, 64)
        self.Conv3d_2c_3x3 = ConvUnit(64, 192, 3)
        self.Mixed_3b = InflatedBlock(192, 64, 96, 128, 16, 32, 32)
        self.Mixed_3c = InflatedBlock(256, 128, 128, 192, 32, 96, 64)
        self.Mixed_4b = InflatedBlock(480, 192, 96, 208, 16, 48, 64)
        self.Mixed_4c = InflatedBlock(512, 160, 112, 224, 24, 64, 64)
        self.Mixed_4d = InflatedBlock(512, 128, 128, 256, 24, 64, 64)
        self.Mixed_4e = InflatedBlock(512, 112, 144, 288, 32, 64, 64)
        self.Mixed_4f = InflatedBlock(528, 256, 160, 320, 32, 128, 128)
        self.Mixed_5b = InflatedBlock(832, 256, 160, 320, 32, 128, 128)
        self.Mixed_5c = InflatedBlock(832, 384, 192, 384, 48, 128, 128)
        self.logits = Logits()

    @override
    def forward(self, video: Tensor) -> Tensor:
        for name, layer in self.named_children():
            if name in self.pools:
                video = _max_pool(video, *self.pools[name])
            if name == "logits":
                video = functional.avg_pool3d(video, (2, 7, 7), 1)
            video = layer(video)
        return rearrange(video.mean((3, 4)), "n classes steps -> n (classes steps)")
