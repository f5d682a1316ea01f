"""Inception-v3 as FID uses it: up to its 2048 averaged features. Source: Szegedy et al. 2016; Heusel et al. 2017.

The names of the weights are those of torchvision's `inception_v3`, as in the common conversion of TensorFlow's graph of
2015. Unlike torchvision, that graph leaves padding out of averages, and its last block takes a maximum instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

INPUT_PX = 299
"""Edge of the pictures that the network was trained on."""

Kernel = int | tuple[int, int]
Pool = Callable[[Tensor], Tensor]
Chain = Sequence[str | tuple[str, ...]]


class ConvBlock(nn.Module):
    """Convolution, batch norm, ReLU; padded so that a stride of 1 keeps the size, unless ``pad`` is False."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: Kernel = 1, stride: int = 1, pad: bool = True
    ) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if pad else (0, 0)
        self.conv = nn.Conv2d(channels_in, channels_out, (height, width), stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(channels_out, eps=0.001)

    @override
    def forward(self, pictures: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(pictures)))


class InceptionBlock(nn.Module):
    """Parallel branches, concatenated along channels: chains of convolutions, and a pooling branch.

    A step of a chain is the name of a convolution; the last one may be several names, which share their input.
    """

    def __init__(self, convs: dict[str, ConvBlock], chains: Sequence[Chain], pool: Pool) -> None:
        super().__init__()
        self.chains, self.pool = chains, pool
        for name, conv in convs.items():
            self.add_module(name, conv)

    @override
    def forward(self, pictures: Tensor) -> Tensor:
        outputs = []
        for chain in self.chains:
            features = [pictures]
            for step in chain:
                features = [self._conv(name)(features[0]) for name in ((step,) if isinstance(step, str) else step)]
            outputs += features
        pooled = self.pool(pictures)
        outputs.append(self._conv("branch_pool")(pooled) if hasattr(self, "branch_pool") else pooled)
        return torch.cat(outputs, 1)

    def _conv(self, name: str) -> ConvBlock:
        return cast("ConvBlock", getattr(self, name))


def _average_pool(pictures: Tensor) -> Tensor:
    return functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)


def _max_pool(pictures: Tensor) -> Tensor:
    return functional.max_pool2d(pictures, 3, 1, 1)


def _halving_pool(pictures: Tensor) -> Tensor:
    return functional.max_pool2d(pictures, 3, 2)


def _block_a(width: int, pool_width: int) -> InceptionBlock:
    convs = {
        "branch1x1": ConvBlock(width, 64),
        "branch5x5_1": ConvBlock(width, 48),
        "branch5x5_2": ConvBlock(48, 64, 5),
        "branch3x3dbl_1": ConvBlock(width, 64),
        "branch3x3dbl_2": ConvBlock(64, 96, 3),
        "branch3x3dbl_3": ConvBlock(96, 96, 3),
        "branch_pool": ConvBlock(width, pool_width),
    }
    return InceptionBlock(convs, (("branch1x1",), _chain("branch5x5", 2), _chain("branch3x3dbl", 3)), _average_pool)


def _block_b(width: int) -> InceptionBlock:
    convs = {
        "branch3x3": ConvBlock(width, 384, 3, 2, pad=False),
        "branch3x3dbl_1": ConvBlock(width, 64),
        "branch3x3dbl_2": ConvBlock(64, 96, 3),
        "branch3x3dbl_3": ConvBlock(96, 96, 3, 2, pad=False),
    }
    return InceptionBlock(convs, (("branch3x3",), _chain("branch3x3dbl", 3)), _halving_pool)


def _block_c(width: int, inner: int) -> InceptionBlock:
    convs = {
        "branch1x1": ConvBlock(width, 192),
        "branch7x7_1": ConvBlock(width, inner),
        "branch7x7_2": ConvBlock(inner, inner, (1, 7)),
        "branch7x7_3": ConvBlock(inner, 192, (7, 1)),
        "branch7x7dbl_1": ConvBlock(width, inner),
        "branch7x7dbl_2": ConvBlock(inner, inner, (7, 1)),
        "branch7x7dbl_3": ConvBlock(inner, inner, (1, 7)),
        "branch7x7dbl_4": ConvBlock(inner, inner, (7, 1)),
        "branch7x7dbl_5": ConvBlock(inner, 192, (1, 7)),
        "branch_pool": ConvBlock(width, 192),
    }
    return InceptionBlock(convs, (("branch1x1",), _chain("branch7x7", 3), _chain("branch7x7dbl", 5)), _average_pool)


def _block_d(width: int) -> InceptionBlock:
    convs = {
        "branch3x3_1": ConvBlock(width, 192),
        "branch3x3_2": ConvBlock(192, 320, 3, 2, pad=False),
        "branch7x7x3_1": ConvBlock(width, 192),
        "branch7x7x3_2": ConvBlock(192, 192, (1, 7)),
        "branch7x7x3_3": ConvBlock(192, 192, (7, 1)),
        "branch7x7x3_4": ConvBlock(192, 192, 3, 2, pad=False),
    }
    return InceptionBlock(convs, (_chain("branch3x3", 2), _chain("branch7x7x3", 4)), _halving_pool)


def _block_e(width: int, pool: Pool) -> InceptionBlock:
    convs = {
        "branch1x1": ConvBlock(width, 320),
        "branch3x3_1": ConvBlock(width, 384),
        "branch3x3_2a": ConvBlock(384, 384, (1, 3)),
        "branch3x3_2b": ConvBlock(384, 384, (3, 1)),
        "branch3x3dbl_1": ConvBlock(width, 448),
        "branch3x3dbl_2": ConvBlock(448, 384, 3),
        "branch3x3dbl_3a": ConvBlock(384, 384, (1, 3)),
        "branch3x3dbl_3b": ConvBlock(384, 384, (3, 1)),
        "branch_pool": ConvBlock(width, 192),
    }
    short = ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b"))
    long = ("branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b"))
    return InceptionBlock(convs, (("branch1x1",), short, long), pool)


def _chain(name: str, count: int) -> list[str]:
    return [f"{name}_{k + 1}" for k in range(count)]


class InceptionV3(nn.Module):
    """Network from pictures ``[N, 3, H, W]`` in 0..1, which it resizes to 299 pixels, to features ``[N, 2048]``."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvBlock(3, 32, 3, 2, pad=False)
        self.Conv2d_2a_3x3 = ConvBlock(32, 32, 3, pad=False)
        self.Conv2d_2b_3x3 = ConvBlock(32, 64, 3)
        self.Conv2d_3b_1x1 = ConvBlock(64, 80)
        self.Conv2d_4a_3x3 = ConvBlock(80, 192, 3, pad=False)
        self.Mixed_5b = _block_a(192, 32)
        self.Mixed_5c = _block_a(256, 64)
        self.Mixed_5d = _block_a(288, 64)
        self.Mixed_6a = _block_b(288)
        self.Mixed_6b = _block_c(768, 128)
        self.Mixed_6c = _block_c(768, 160)
        self.Mixed_6d = _block_c(768, 160)
        self.Mixed_6e = _block_c(768, 192)
        self.Mixed_7a = _block_d(768)
        self.Mixed_7b = _block_e(1280, _average_pool)
        self.Mixed_7c = _block_e(2048, _max_pool)

    @override
    def forward(self, pictures: Tensor) -> Tensor:
        features = functional.interpolate(pictures, (INPUT_PX, INPUT_PX), mode="bilinear", align_corners=False)
        features = 2 * features - 1  # the network was trained on -1..1
        for name, layer in self.named_children():
            if name in ("Conv2d_3b_1x1", "Mixed_5b"):
                features = _halving_pool(features)
            features = layer(features)
        return features.mean((2, 3))
