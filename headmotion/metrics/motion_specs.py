"""Specs of the metrics that look at motion itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.spec import BuildContext, MetricSpec

if TYPE_CHECKING:
    from .landmark_distance import LandmarkDistance
    from .opening import Opening


class LandmarkDistanceSpec(MetricSpec):
    """LMD: mean distance of the mouth's points around their middle (Chen, Li, Maddox, Duan, Xu 2018)."""

    type: Literal["lmd"] = "lmd"
    group: str = "lips"
    """Group of points."""

    def build(self, context: BuildContext) -> LandmarkDistance:
        """Make the metric."""
        from .landmark_distance import LandmarkDistance

        return LandmarkDistance(self, context)


class OpeningSpec(MetricSpec):
    """Correlation and amplitude of the mouth's opening against the true one."""

    type: Literal["opening"] = "opening"
    opening: str = "mouth"
    """Opening whose first pair of points is looked at."""
    low_hz: float = Field(1.0, gt=0)
    """Slower changes are taken out (Hz)."""
    high_hz: float = Field(8.0, gt=0)
    """So are faster ones (Hz)."""
    reach_frames: int = Field(3, ge=0)
    """Largest shift in frames, either way, at which the correlation may be best."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low_hz >= self.high_hz:
            raise SpecError("opening spec", f"low_hz below high_hz {self.high_hz:g}", f"{self.low_hz:g}")
        return self

    def build(self, context: BuildContext) -> Opening:
        """Make the metric."""
        from .opening import Opening

        return Opening(self, context)
