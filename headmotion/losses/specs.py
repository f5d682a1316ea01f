"""Specs of the losses that fit any representation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from ..core.interfaces.specs import BuildContext, LossSpec

if TYPE_CHECKING:
    from .reconstruction import ReconstructionLoss
    from .spread import SpreadLoss
    from .sync import SyncLoss


class SyncLossSpec(LossSpec):
    """Guidance by a trained pyramid of syncers: minus the mean cosine over windows and levels (MS-Sync, eq. 4)."""

    type: Literal["sync"] = "sync"
    weight: float = Field(1.0, ge=0)
    """Weight of the term, the paper's lambda (eq. 13)."""
    hop: int = Field(1, ge=1)
    """Frames of the level between two windows; the paper's 1 looks at every window."""
    levels: int | None = Field(None, ge=1, le=16)
    """How many levels are looked at, the finest first; None looks at all that there are."""

    def build(self, context: BuildContext) -> SyncLoss:
        """Make the loss; it is given its syncers afterwards."""
        from .sync import SyncLoss

        return SyncLoss(self)


class ReconstructionLossSpec(LossSpec):
    """Distance from the true motion: of groups of points, of the shape as a whole, of openings."""

    type: Literal["reconstruction"] = "reconstruction"
    groups: dict[str, float] = Field(default_factory=lambda: {"lips": 1.0})
    """Weight of each group of points; the group ``all`` is there in every representation."""
    relative_to: str | None = None
    """Group whose mean is subtracted first, so that head motion stays free; None compares positions as they are."""
    aligned_by: tuple[str, ...] = ()
    """Groups by which a generated frame is shifted, tilted and scaled onto the real one before ``groups`` of points are
    compared in the plane; frees the tilt of the head as well. Instead of ``relative_to``."""
    shape: float = Field(0.0, ge=0)
    """Weight of the distances between all points, which hold a face together wherever the head goes."""
    openings: dict[str, float] = Field(default_factory=dict)
    """Weight of each opening (``mouth``, ``left_eye`` ...): the distance between its two sides."""

    @model_validator(mode="after")
    def _one_way(self) -> ReconstructionLossSpec:
        if self.relative_to and self.aligned_by:
            raise ValueError("relative_to and aligned_by exclude each other")
        return self

    def build(self, context: BuildContext) -> ReconstructionLoss:
        """Make the loss for a representation."""
        from .reconstruction import ReconstructionLoss

        return ReconstructionLoss(self, context)


class SpreadLossSpec(LossSpec):
    """Motion as large and as fast as in the data: ratio of mean displacements over several lags, as a logarithm."""

    type: Literal["spread"] = "spread"
    weight: float = Field(1.0, ge=0)
    """Weight of the term."""
    groups: tuple[str, ...] = ()
    """Groups of points that are compared; none means all points."""
    lags: tuple[Annotated[int, Field(ge=1)], ...] = Field((1, 4, 12, 36), min_length=1)
    """Frames between the poses that are compared."""
    directions: int = Field(12, ge=1)
    """Directions of largest real displacement that are compared; a face has about six of the head and as many more."""

    def build(self, context: BuildContext) -> SpreadLoss:
        """Make the loss for a representation."""
        from .spread import SpreadLoss

        return SpreadLoss(self, context)
