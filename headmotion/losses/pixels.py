"""Distance of generated pictures from the recorded ones, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.loss import Loss
from ..core.interfaces.sample import Sample, Track
from ..core.interfaces.specs import BuildContext
from .picture_regions import moving_mask, region_mask
from .reconstruction import points_of_groups
from .specs import PixelsLossSpec
from .ssim import WINDOW, crop_to_map, ssim_map


class PixelsLoss(Loss):
    """L1 and L2 distance, 1 - SSIM, L1 distance of gradients; pixels near groups of points and in boxes weigh more."""

    needs: frozenset[Track] = frozenset({"motion", "frames"})
    spec: PixelsLossSpec

    def __init__(self, spec: PixelsLossSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.groups = [
            (points_of_groups("pixels loss", context.representation, [name]), weight)
            for name, weight in spec.groups.items()
        ]
        self.to_points2d = context.representation.to_points2d if self.groups else None

    @override
    def forward(self, real: Sample, generated: Sample, step: int) -> Mapping[str, Tensor]:
        if real.frames is None or generated.frames is None:
            raise SpecError("pixels loss", "pictures (the track frames)", "none", "use it where a renderer is trained")
        drawn, recorded = generated.frames, real.frames
        weights = self._weights(real, recorded)
        terms = {}
        if self.spec.l1:
            terms["picture_l1"] = self.spec.l1 * _mean((drawn - recorded).abs().mean(-3), weights)
        if self.spec.l2:
            terms["picture_l2"] = self.spec.l2 * _mean((drawn - recorded).square().mean(-3), weights)
        if self.spec.ssim:
            if min(recorded.shape[-2:]) < WINDOW:
                got = " x ".join(map(str, recorded.shape[-2:]))
                raise SpecError("pixels loss", f"pictures of {WINDOW} pixels or more each way for ssim", got)
            terms["picture_ssim"] = self.spec.ssim * _mean(1 - ssim_map(drawn, recorded), crop_to_map(weights))
        if self.spec.gradient:
            difference = drawn - recorded
            across, down = difference.diff(dim=-1).abs().mean(-3), difference.diff(dim=-2).abs().mean(-3)
            mean = _mean(across, weights[..., 1:]) + _mean(down, weights[..., 1:, :])
            terms["picture_gradient"] = self.spec.gradient * mean
        return terms

    def _weights(self, real: Sample, pictures: Tensor) -> Tensor:
        """Return the weight of each pixel, ``[B, T, H, W]``."""
        height, width = pictures.shape[-2:]
        weights = pictures.new_ones(*pictures.shape[:2], height, width)
        if self.to_points2d is not None and real.picture_motion is not None:
            points = self.to_points2d(real.picture_motion.detach())
            for group, weight in self.groups:
                weights = weights + weight * region_mask(points[:, :, group], (height, width), self.spec.margin)
        if self.spec.moving and real.identity is not None:
            weights = weights + self.spec.moving * moving_mask(pictures, real.identity)
        for box in self.spec.boxes:
            left, right = round(box.left * width), round(box.right * width)
            weights[..., round(box.top * height) : round(box.bottom * height), left:right] += box.weight
        return weights


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    # Of each picture on its own, so that the result does not depend on how a batch is divided.
    return ((values * weights).sum((-2, -1)) / weights.sum((-2, -1))).mean()
