"""Inception-v3 as FID uses it: up to its 2048 averaged features. Source: Szegedy et al. 2016; Heusel et al. 2017.

The names of weights are those of torchvision's `inception_v3`, in which the weights of TensorFlow's graph of 2015 go
round for FID. That graph leaves padding out of averages, and its last block takes a maximum instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

SIZE = 299
"""Pixels of an edge of what the network sees."""

Sides = int | tuple[int, int]
Pool = Callable[[Tensor], Tensor]
Chain = Sequence[str | tuple[str, ...]]


class Conv(nn.Module):
    """Convolution, batch norm, ReLU; padded so that a stride of 1 keeps the size, unless ``pad`` is False."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: Sides = 1, stride: int = 1, pad: bool = True
    ) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if pad else (0, 0)
        self.conv = nn.Conv2d(channels_in, channels_out, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(channels_out, eps=0.001)

    @override
    def forward(self, pictures: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(pictures)))


class Mixed(nn.Module):
    """Branches side by side, joined along channels: chains of convolutions, and a pool.

    A step of a chain is the name of a convolution, or at its end the names of several that see the same.
    """

    def __init__(self, convs: dict[str, Conv], chains: Sequence[Chain], pool: Pool) -> None:
        super().__init__()
        self.chains, self.pool = chains, pool
        for name, conv in convs.items():
            self.add_module(name, conv)

    @override
    def forward(self, pictures: Tensor) -> Tensor:
        outputs = []
        for chain in self.chains:
            found = [pictures]
            for step in chain:
                found = [self._conv(name)(found[0]) for name in ((step,) if isinstance(step, str) else step)]
            outputs += found
        pooled = self.pool(pictures)
        outputs.append(self._conv("branch_pool")(pooled) if hasattr(self, "branch_pool") else pooled)
        return torch.cat(outputs, 1)

    def _conv(self, name: str) -> Conv:
        return cast("Conv", getattr(self, name))


def _average(pictures: Tensor) -> Tensor:
    return functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)


def _largest(pictures: Tensor) -> Tensor:
    return functional.max_pool2d(pictures, 3, 1, 1)


def _halved(pictures: Tensor) -> Tensor:
    return functional.max_pool2d(pictures, 3, 2)


def _block_a(width: int, pool_width: int) -> Mixed:
    convs = {
        "branch1x1": Conv(width, 64),
        "branch5x5_1": Conv(width, 48),
        "branch5x5_2": Conv(48, 64, 5),
        "branch3x3dbl_1": Conv(width, 64),
        "branch3x3dbl_2": Conv(64, 96, 3),
        "branch3x3dbl_3": Conv(96, 96, 3),
        "branch_pool": Conv(width, pool_width),
    }
    return Mixed(convs, (("branch1x1",), _chain("branch5x5", 2), _chain("branch3x3dbl", 3)), _average)


def _block_b(width: int) -> Mixed:
    convs = {
        "branch3x3": Conv(width, 384, 3, 2, pad=False),
        "branch3x3dbl_1": Conv(width, 64),
        "branch3x3dbl_2": Conv(64, 96, 3),
        "branch3x3dbl_3": Conv(96, 96, 3, 2, pad=False),
    }
    return Mixed(convs, (("branch3x3",), _chain("branch3x3dbl", 3)), _halved)


def _block_c(width: int, inner: int) -> Mixed:
    convs = {
        "branch1x1": Conv(width, 192),
        "branch7x7_1": Conv(width, inner),
        "branch7x7_2": Conv(inner, inner, (1, 7)),
        "branch7x7_3": Conv(inner, 192, (7, 1)),
        "branch7x7dbl_1": Conv(width, inner),
        "branch7x7dbl_2": Conv(inner, inner, (7, 1)),
        "branch7x7dbl_3": Conv(inner, inner, (1, 7)),
        "branch7x7dbl_4": Conv(inner, inner, (7, 1)),
        "branch7x7dbl_5": Conv(inner, 192, (1, 7)),
        "branch_pool": Conv(width, 192),
    }
    return Mixed(convs, (("branch1x1",), _chain("branch7x7", 3), _chain("branch7x7dbl", 5)), _average)


def _block_d(width: int) -> Mixed:
    convs = {
        "branch3x3_1": Conv(width, 192),
        "branch3x3_2": Conv(192, 320, 3, 2, pad=False),
        "branch7x7x3_1": Conv(width, 192),
        "branch7x7x3_2": Conv(192, 192, (1, 7)),
        "branch7x7x3_3": Conv(192, 192, (7, 1)),
        "branch7x7x3_4": Conv(192, 192, 3, 2, pad=False),
    }
    return Mixed(convs, (_chain("branch3x3", 2), _chain("branch7x7x3", 4)), _halved)


def _block_e(width: int, pool: Pool) -> Mixed:
    convs = {
        "branch1x1": Conv(width, 320),
        "branch3x3_1": Conv(width, 384),
        "branch3x3_2a": Conv(384, 384, (1, 3)),
        "branch3x3_2b": Conv(384, 384, (3, 1)),
        "branch3x3dbl_1": Conv(width, 448),
        "branch3x3dbl_2": Conv(448, 384, 3),
        "branch3x3dbl_3a": Conv(384, 384, (1, 3)),
        "branch3x3dbl_3b": Conv(384, 384, (3, 1)),
        "branch_pool": Conv(width, 192),
    }
    short = ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b"))
    long = ("branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b"))
    return Mixed(convs, (("branch1x1",), short, long), pool)


def _chain(name: str, count: int) -> list[str]:
    return [f"{name}_{k + 1}" for k in range(count)]


class Inception(nn.Module):
    """Pictures ``[N, 3, H, W]`` in 0..1 to features ``[N, 2048]``; they are resized to 299 and scaled to -1..1."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Conv(3, 32, 3, 2, pad=False)
        self.Conv2d_2a_3x3 = Conv(32, 32, 3, pad=False)
        self.Conv2d_2b_3x3 = Conv(32, 64, 3)
        self.Conv2d_3b_1x1 = Conv(64, 80)
        self.Conv2d_4a_3x3 = Conv(80, 192, 3, pad=False)
        self.Mixed_5b = _block_a(192, 32)
        self.Mixed_5c = _block_a(256, 64)
        self.Mixed_5d = _block_a(288, 64)
        self.Mixed_6a = _block_b(288)
        self.Mixed_6b = _block_c(768, 128)
        self.Mixed_6c = _block_c(768, 160)
        self.Mixed_6d = _block_c(768, 160)
        self.Mixed_6e = _block_c(768, 192)
        self.Mixed_7a = _block_d(768)
        self.Mixed_7b = _block_e(1280, _average)
        self.Mixed_7c = _block_e(2048, _largest)

    @override
    def forward(self, pictures: Tensor) -> Tensor:
        found = functional.interpolate(pictures, (SIZE, SIZE), mode="bilinear", align_corners=False)
        found = 2 * found - 1
        for name, module in self.named_children():
            if name in ("Conv2d_3b_1x1", "Mixed_5b"):
                found = _halved(found)
            found = module(found)
        return found.mean((2, 3))
