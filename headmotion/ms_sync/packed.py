"""Weights packed for products of a few rows, for one rollout without gradients.

A rollout multiplies the same weights by as many rows as there are clips, frame after frame. Of all that torch offers on
a CPU, oneDNN's products with a weight in its own layout are then the fastest; to pack the weights takes as long as a
few frames. Torch has no public call for it, so where its private one is missing the weights are used as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from typing_extensions import override

from .blocks import GroupedLinear, replaceable, twin

if TYPE_CHECKING:
    from .generator import Branches

CLIPS, FRAMES, WEIGHTS = 4, 32, 1 << 18
"""Clips, frames and weights of a group below which packing does not pay."""


def packing(branches: Branches, clips: int, frames: int) -> Branches:
    """The same branches for one rollout without gradients; the branches themselves where packing does not pay."""
    layer = branches.opening.expand
    fits = layer.weight.device.type == "cpu" and layer.weight.dtype == torch.float32 and replaceable(layer)
    if not (fits and clips >= CLIPS and frames >= FRAMES and available()) or torch.is_grad_enabled():
        return branches
    return twin(branches, lambda each: PackedLinear(each, clips) if each.weight[0].numel() >= WEIGHTS else each)


def available() -> bool:
    """Whether this torch can pack weights."""
    return all(hasattr(torch.ops.mkldnn, name) for name in ("_linear_pointwise", "_reorder_linear_weight"))


class PackedLinear(nn.Module):
    """A `GroupedLinear` for one rollout. Only one of its methods may be used, by all frames."""

    weight: nn.Parameter
    bias: nn.Parameter

    def __init__(self, linear: GroupedLinear, clips: int) -> None:
        super().__init__()
        self._parameters = linear._parameters
        self._clips = clips
        self._groups: list[tuple[Tensor, Tensor]] = []

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        product, groups = torch.ops.mkldnn._linear_pointwise, zip(inputs.unbind(0), self._pack(inputs), strict=True)
        return torch.stack([product(x, weight, bias, "none", [], "") for x, (weight, bias) in groups])

    def front(self, inputs: Tensor, rest: Tensor) -> Tensor:
        """As of `GroupedLinear`."""
        product, packed = torch.ops.mkldnn._linear_pointwise.binary, self._pack(inputs)
        groups = zip(inputs.unbind(0), rest.unbind(0), packed, strict=True)
        return torch.stack([product(x, other, weight, None, "add") for x, other, (weight, _) in groups])

    def _pack(self, inputs: Tensor) -> list[tuple[Tensor, Tensor]]:
        if not self._groups:
            used = self.weight[:, : inputs.shape[-1]].transpose(1, 2)
            packed = [torch.ops.mkldnn._reorder_linear_weight(each, self._clips) for each in used.unbind(0)]
            self._groups = list(zip(packed, self.bias[:, 0].unbind(0), strict=True))
        return self._groups
