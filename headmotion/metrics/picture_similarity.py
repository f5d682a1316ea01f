"""Similarity of generated pictures to the recorded ones, pixel by pixel: PSNR and SSIM."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import MotionError
from ..core.interfaces.metric import Metric, MetricInput, MetricValues, Observation, PicturePair
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.interfaces.specs import BuildContext
from ..losses.picture_regions import region_mask
from ..losses.ssim import WINDOW, crop_to_map, ssim_map
from .measurement import group_points, mean_over_clips, scalar
from .specs import PsnrSpec, SsimSpec

ROUNDING = 1 / 255**2 / 12
"""Mean squared error of rounding to 255 levels: a smaller one is below the precision of stored pictures."""
FRAMES_AT_ONCE = 32
"""Frames that are compared at a time, which bounds the memory."""


class Psnr(Metric):
    """Peak signal-to-noise ratio of each frame, averaged over the frames of a clip."""

    needs = frozenset({"pictures"})
    better: Mapping[str, Literal["lower", "higher"]] = {"psnr_db": "higher"}

    def __init__(self, spec: PsnrSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.region = Region(context.representation, spec.group, spec.margin, "psnr")

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The region."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        pair, values = checked_pictures(clip, "psnr"), []
        for generated, real, mask in self.region.batches(pair):
            squares = (generated - real).square().mean(1)
            error = (squares * mask).sum((1, 2)) / mask.sum((1, 2))
            values.append(-10 * error.clamp(min=ROUNDING).log10())
        return {"psnr": scalar(float(torch.cat(values).nanmean()))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the mean over frames in decibels; without a value where the region lies outside of all pictures."""
        value = float(observed["psnr"])
        return {"psnr_db": value} if math.isfinite(value) else {}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed)


class Ssim(Metric):
    """Structural similarity of each frame, averaged over pixels and frames of a clip. Source: Wang et al. 2004."""

    needs = frozenset({"pictures"})
    better: Mapping[str, Literal["lower", "higher"]] = {"ssim": "higher"}

    def __init__(self, spec: SsimSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.region = Region(context.representation, spec.group, spec.margin, "ssim")

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The region."""
        return self.spec.model_dump(mode="json")

    @override
    def observe(self, clip: MetricInput) -> Observation:
        pair, values = checked_pictures(clip, "ssim"), []
        if min(pair.real.shape[-2:]) < WINDOW:
            raise MotionError("ssim", f"pictures of {WINDOW} pixels or more each way", str(list(pair.real.shape[-2:])))
        for generated, real, mask in self.region.batches(pair):
            inside = crop_to_map(mask)
            values.append((ssim_map(generated, real) * inside).sum((1, 2)) / inside.sum((1, 2)))
        return {"ssim": scalar(float(torch.cat(values).nanmean()))}

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return the mean over frames; without a value where the region lies outside of all pictures."""
        value = float(observed["ssim"])
        return {"ssim": value} if math.isfinite(value) else {}

    @override
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        return mean_over_clips(self, observed)


class Region:
    """The pixels that are compared: all, or those around a group of points of the recorded motion."""

    def __init__(self, representation: Representation, group: str | None, margin: float, metric: str) -> None:
        self.representation, self.margin = representation, margin
        self.points = None if group is None else group_points(representation, group, metric)

    def batches(self, pair: PicturePair) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Return generated and recorded pictures ``[t, 3, H, W]``, 0..1, with masks ``[t, H, W]``, frame by frame."""
        return [self._batch(pair, slice(k, k + FRAMES_AT_ONCE)) for k in range(0, len(pair.real), FRAMES_AT_ONCE)]

    def _batch(self, pair: PicturePair, frames: slice) -> tuple[Tensor, Tensor, Tensor]:
        generated, real = (pictures[frames].float() / 255 for pictures in (pair.generated, pair.real))
        height, width = real.shape[-2:]
        if self.points is None:
            return generated, real, real.new_ones(len(real), height, width)
        square = UnitSquare(width / 2, height / 2, max(height, width))
        poses = self.representation.normalize(pair.motion[frames], square)
        points = self.representation.to_points2d(poses)[:, self.points]
        return generated, real, region_mask(points, (height, width), self.margin)


def checked_pictures(clip: MetricInput, metric: str) -> PicturePair:
    """Return the clip's pictures.

    Args:
        clip: the clip.
        metric: name of the metric, for errors.

    Raises:
        MotionError: there are none, or generated and recorded ones differ in size or number.
    """
    pair = clip.pictures
    if pair is None:
        raise MotionError(metric, "pictures, generated and recorded", f"none for {clip.name}")
    if pair.generated.shape != pair.real.shape or not len(pair.real):
        sizes = f"{list(pair.generated.shape)} and {list(pair.real.shape)}"
        raise MotionError(metric, "as many generated pictures as recorded ones, of one size", sizes)
    return pair
