"""Specs of the losses that fit any representation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, LossSpec
from ..core.spec import Spec

if TYPE_CHECKING:
    from .pixels import PixelsLoss
    from .reconstruction import ReconstructionLoss
    from .spread import SpreadLoss
    from .sync import SyncLoss


class SyncLossSpec(LossSpec):
    """Guidance by a trained pyramid of syncers: minus the mean cosine over windows and levels (MS-Sync, eq. 4)."""

    type: Literal["sync"] = "sync"
    weight: float = Field(1.0, ge=0)
    """Weight of the term, the paper's lambda (eq. 13)."""
    hop: int = Field(1, ge=1, le=100_000)
    """Step between windows (frames of the level); the paper's 1 uses every window."""
    levels: int | None = Field(None, ge=1, le=16)
    """Number of levels that are used, the finest first; None uses all."""
    syncers: str = "syncers"
    """Name under which an earlier phase hands on the syncers."""

    def build(self, context: BuildContext) -> SyncLoss:
        """Build the loss; `SyncLoss.use_parts` sets its syncers afterwards."""
        from .sync import SyncLoss

        return SyncLoss(self)


class ReconstructionLossSpec(LossSpec):
    """Distance from the recorded motion: of groups of points, of the overall shape, of openings."""

    type: Literal["reconstruction"] = "reconstruction"
    groups: dict[str, float] = Field(default_factory=lambda: {"lips": 1.0})
    """Weight of each group of points; every representation has the group ``all``."""
    relative_to: str | None = None
    """Group whose mean is subtracted first, so that shifts of the head are not compared; None subtracts nothing."""
    aligned_by: tuple[str, ...] = ()
    """Groups by which a generated frame is shifted, rotated and scaled onto the recorded one before ``groups`` are
    compared in the plane, so that roll and size of the head are not compared either; replaces ``relative_to``."""
    shape: float = Field(0.0, ge=0)
    """Weight of the distances between all points, which preserve the shape of a face in any pose of the head."""
    openings: dict[str, float] = Field(default_factory=dict)
    """Weight of each opening (``mouth``, ``left_eye`` ...): the distance between its two sides."""

    @model_validator(mode="after")
    def _check_alignment(self) -> ReconstructionLossSpec:
        if self.relative_to and self.aligned_by:
            raise SpecError("reconstruction spec", "relative_to or aligned_by", "both", "remove one of them")
        return self

    def build(self, context: BuildContext) -> ReconstructionLoss:
        """Build the loss for a representation."""
        from .reconstruction import ReconstructionLoss

        return ReconstructionLoss(self, context)


class SpreadLossSpec(LossSpec):
    """Motion as large and as fast as in the data: logarithmic ratio of mean displacements over several lags."""

    type: Literal["spread"] = "spread"
    weight: float = Field(1.0, ge=0)
    """Weight of the term."""
    groups: tuple[str, ...] = ()
    """Groups of points that are compared; none means all points."""
    lags: tuple[Annotated[int, Field(ge=1)], ...] = Field((1, 4, 12, 36), min_length=1)
    """Frames between the poses that are compared."""
    directions: int = Field(12, ge=1, le=4096)
    """Number of directions of largest real displacement that are compared; a face has about six of the head and as many
    more."""

    def build(self, context: BuildContext) -> SpreadLoss:
        """Build the loss for a representation."""
        from .spread import SpreadLoss

        return SpreadLoss(self, context)


class WeightedBox(Spec):
    """A part of the picture, in shares of its width and height, whose pixels weigh more."""

    left: float = Field(ge=0, le=1)
    """Left edge, from the left."""
    top: float = Field(ge=0, le=1)
    """Upper edge, from the top."""
    right: float = Field(ge=0, le=1)
    """Right edge, from the left."""
    bottom: float = Field(ge=0, le=1)
    """Lower edge, from the top."""
    weight: float = Field(ge=0)
    """Additional weight; every pixel has 1."""

    @model_validator(mode="after")
    def _not_empty(self) -> WeightedBox:
        if self.left >= self.right or self.top >= self.bottom:
            sides = f"left {self.left}, right {self.right}, top {self.top}, bottom {self.bottom}"
            raise SpecError("pixels spec", "a box with left < right and top < bottom", sides)
        return self


class PixelsLossSpec(LossSpec):
    """Distance of generated pictures from the recorded ones: of pixels, of structure, of gradients."""

    type: Literal["pixels"] = "pixels"
    l1: float = Field(1.0, ge=0)
    """Weight of the mean absolute difference of pixels (colors are 0..1)."""
    l2: float = Field(0.0, ge=0)
    """Weight of the mean squared difference, in which large changes such as an opening mouth count most: from a still
    picture it is learned sooner than ``l1``, whose least value lies at what most frames have."""
    ssim: float = Field(0.0, ge=0)
    """Weight of 1 - SSIM, the structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004)."""
    gradient: float = Field(0.0, ge=0)
    """Weight of the mean absolute difference of gradients, which keeps edges sharp."""
    groups: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Additional weight of the pixels around each group of points, such as ``{lips: 4}``; every pixel has 1."""
    margin: float = Field(0.25, ge=0)
    """Room around the points of a group on each side, as a fraction of the longer edge of their box."""
    moving: float = Field(0.0, ge=0)
    """Additional weight of the pixels whose recorded color differs from that of the identity picture, in full from a
    difference of 0.1 on; for representations whose numbers have no place in the picture."""
    boxes: tuple[WeightedBox, ...] = Field((), max_length=16)
    """Fixed parts that weigh more, such as the mouth's where all pictures are cropped and aligned in the same way."""

    @model_validator(mode="after")
    def _check_weights(self) -> PixelsLossSpec:
        if not self.l1 + self.l2 + self.ssim + self.gradient:
            raise SpecError("pixels spec", "a weight above 0 among l1, l2, ssim and gradient", "none")
        return self

    def build(self, context: BuildContext) -> PixelsLoss:
        """Build the loss for a representation."""
        from .pixels import PixelsLoss

        return PixelsLoss(self, context)
