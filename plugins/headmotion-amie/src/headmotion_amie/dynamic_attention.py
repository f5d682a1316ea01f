"""Dynamic attention: the lips that were drawn a frame ago are attenuated for the generator."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from headmotion.losses.picture_regions import region_mask

from .specs import DynamicAttentionSpec


class DynamicAttention(nn.Module):
    """``f' = f (1 - M + r M)`` with a mask ``M`` of the lips and a rate ``r`` that falls while training goes on.

    Source: the paper, section 3.3 and figure 4. A sequence begins with a rectangle around the lips; from then on a
    small network finds the lips within it, from the mask and the frame that was drawn.
    """

    def __init__(self, spec: DynamicAttentionSpec, size: int) -> None:
        super().__init__()
        self.spec, self.size = spec, size // spec.stride
        self.refine = nn.Sequential(
            nn.Conv2d(4, spec.width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(spec.width, spec.width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(spec.width, 1, 3, padding=1),
        )  # fmt: skip
        # The network begins by keeping most of the rectangle.
        nn.init.constant_(cast("Tensor", cast("nn.Conv2d", self.refine[-1]).bias), 2.0)
        self.register_buffer("rate", torch.tensor(spec.rates[0]))

    def set_progress(self, step: int, steps: int) -> None:
        """Set the rate: each of ``rates`` holds for an equal share of the steps; a later phase does not raise it."""
        rates = self.spec.rates
        self.get_buffer("rate").clamp_(max=rates[min(len(rates) - 1, len(rates) * step // max(1, steps))])

    def rectangle(self, lips: Tensor) -> Tensor:
        """Return the mask of a sequence's first frame, ``[B, 1, s, s]``, around lips ``[B, N, 2]``."""
        return region_mask(lips, (self.size, self.size), self.spec.margin).unsqueeze(1)

    def next_mask(self, rectangle: Tensor, mask: Tensor, frame: Tensor) -> Tensor:
        """Return the mask ``[B, 1, s, s]`` for the frame after ``frame`` ``[B, 3, n, n]``, within the rectangle."""
        small = functional.avg_pool2d(frame, self.spec.stride)
        refined: Tensor = self.refine(torch.cat([2 * small - 1, mask], dim=1))
        return rectangle * torch.sigmoid(refined)

    def forward(self, frame: Tensor, mask: Tensor) -> Tensor:
        """Return the frame ``[B, 3, n, n]`` with its lips, or everything else, darkened."""
        if not (self.training or self.spec.at_inference):
            return frame
        if self.spec.stride > 1:
            mask = functional.interpolate(mask, frame.shape[-2:], mode="bilinear", align_corners=False)
        rate = self.get_buffer("rate")
        gain = 1 - mask + rate * mask if self.spec.mode == "attenuate_lips" else mask + rate * (1 - mask)
        return frame * gain
