"""The network of LPIPS: AlexNet's features, each with one learned weight. Source: Zhang et al. 2018."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""By which colors of -1..1 are shifted and divided."""
CHANNELS = (64, 192, 384, 256, 256)


class _Slice(nn.Sequential):
    """Layers under the numbers that they have in AlexNet, as in the published file."""

    def __init__(self, first: int, *layers: nn.Module) -> None:
        super().__init__()
        for number, layer in enumerate(layers, first):
            self.add_module(str(number), layer)


class LpipsNetwork(nn.Module):
    """Distance of pictures, as ``lpips.LPIPS(net="alex")`` computes it, with tensors of the same names."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Module()
        slices = (
            _Slice(0, nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU()),
            _Slice(2, nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU()),
            _Slice(5, nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU()),
            _Slice(8, nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU()),
            _Slice(10, nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU()),
        )
        for number, layers in enumerate(slices):
            self.net.add_module(f"slice{number + 1}", layers)
            head = nn.Module()
            # Number 0 is a dropout, which does nothing in evaluation.
            head.add_module("model", _Slice(1, nn.Conv2d(CHANNELS[number], 1, 1, bias=False)))
            self.add_module(f"lin{number}", head)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the distances ``[N]`` of pictures ``[N, 3, H, W]``, 0..1, of 32 pixels or more each way."""
        shift, scale = (first.new_tensor(values).view(3, 1, 1) for values in (SHIFT, SCALE))
        features = torch.cat([(2 * pictures - 1 - shift) / scale for pictures in (first, second)])
        distance = first.new_zeros(len(first))
        for number in range(len(CHANNELS)):
            features = self.net.get_submodule(f"slice{number + 1}")(features)
            unit = features / (features.square().sum(1, keepdim=True) + 1e-8).sqrt()
            squares = (unit[: len(first)] - unit[len(first) :]).square()
            distance = distance + self.get_submodule(f"lin{number}.model")(squares).mean((1, 2, 3))
        return distance
