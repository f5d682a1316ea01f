"""Specs of the metrics that look at motion itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, MetricSpec

if TYPE_CHECKING:
    from .beat import Beat
    from .blink import Blink
    from .diversity import Diversity
    from .drift import Drift
    from .frontal_distance import FrontalDistance
    from .head_motion import HeadMotion
    from .jitter import Jitter
    from .landmark_distance import LandmarkDistance
    from .lip_error import LipError
    from .mouth_opening import Opening


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
        from .mouth_opening import Opening

        return Opening(self, context)


class FrontalDistanceSpec(MetricSpec):
    """LMD of mouths turned to the front, for representations with depth (Airale, Vaufreydaz, Alameda-Pineda)."""

    type: Literal["lmd-frontal"] = "lmd-frontal"
    group: str = "lips"
    """Group of points; its outermost two at rest are the corners of the mouth."""

    def build(self, context: BuildContext) -> FrontalDistance:
        """Make the metric."""
        from .frontal_distance import FrontalDistance

        return FrontalDistance(self, context)


class LipErrorSpec(MetricSpec):
    """Lip vertex error: the worst point of the lips in each frame (Richard et al. 2021)."""

    type: Literal["lip-vertex-error"] = "lip-vertex-error"
    group: str = "lips"
    """Group of points."""
    relative_to: str | None = "nose"
    """Group whose middle is subtracted in each frame; None takes positions as they are."""

    def build(self, context: BuildContext) -> LipError:
        """Make the metric."""
        from .lip_error import LipError

        return LipError(self, context)


class HeadMotionSpec(MetricSpec):
    """Spread and speed of the head's turns and shifts; of the whole, where there is no face."""

    type: Literal["head-motion"] = "head-motion"
    low_pass_hz: float = Field(5.0, gt=0)
    """Faster changes, where detectors tremble, are taken out (Hz)."""

    def build(self, context: BuildContext) -> HeadMotion:
        """Make the metric."""
        from .head_motion import HeadMotion

        return HeadMotion(self, context)


class JitterSpec(MetricSpec):
    """Root mean square third difference of all points."""

    type: Literal["jitter"] = "jitter"

    def build(self, context: BuildContext) -> Jitter:
        """Make the metric."""
        from .jitter import Jitter

        return Jitter(self, context)


class DiversitySpec(MetricSpec):
    """Distance between motions from different seeds."""

    type: Literal["diversity"] = "diversity"

    def build(self, context: BuildContext) -> Diversity:
        """Make the metric."""
        from .diversity import Diversity

        return Diversity(self, context)


class DriftSpec(MetricSpec):
    """Distance of the pose from where it began, over time."""

    type: Literal["drift"] = "drift"
    frames: int = Field(400, ge=2)
    """Length of the long motion, five times the 80 frames that models of this kind are often trained on."""
    window_frames: int = Field(40, ge=1)
    """Length of each window in frames."""

    @model_validator(mode="after")
    def _two_windows(self) -> Self:
        if self.frames < 2 * self.window_frames:
            raise SpecError("drift spec", f"frames for two windows of {self.window_frames}", str(self.frames))
        return self

    def build(self, context: BuildContext) -> Drift:
        """Make the metric."""
        from .drift import Drift

        return Drift(self, context)


class BeatSpec(MetricSpec):
    """Beat alignment of motion and onsets of speech (Li, Yang, Ross, Kanazawa 2021)."""

    type: Literal["beat"] = "beat"
    width_ms: float = Field(50.0, gt=0)
    """Width of the kernel: three frames at 60 per second, as in the source."""
    smooth_ms: float = Field(83.3, gt=0)
    """Standard deviation of the Gaussian over the speed: five frames at 60 per second."""

    def build(self, context: BuildContext) -> Beat:
        """Make the metric."""
        from .beat import Beat

        return Beat(self, context)


class BlinkSpec(MetricSpec):
    """Blinks per minute."""

    type: Literal["blink"] = "blink"
    closed: float = Field(0.6, gt=0, lt=1)
    """Part of its median opening below which an eye is closed."""
    longest_ms: float = Field(600.0, gt=0)
    """Longest blink."""

    def build(self, context: BuildContext) -> Blink:
        """Make the metric."""
        from .blink import Blink

        return Blink(self, context)
