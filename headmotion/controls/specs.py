"""Specs of the controls, by which forms, servers and command lines name them. Reading one does not import torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ..core.arguments import SEEDS
from ..core.interfaces.specs import ControlSpec

if TYPE_CHECKING:
    from .control import Control


class ScaleHeadSpec(ControlSpec):
    """More or less head motion."""

    type: Literal["scale-head"] = "scale-head"
    amount: float = Field(1.0, ge=0, le=10)
    """0 holds the head still, 1 changes nothing, 2 doubles its motion."""

    def build(self) -> Control:
        """Build the control."""
        from .head import ScaleHead

        return ScaleHead(self.amount)


class HoldPoseSpec(ControlSpec):
    """The head held exactly still."""

    type: Literal["hold-pose"] = "hold-pose"

    def build(self) -> Control:
        """Build the control."""
        from .head import HoldPose

        return HoldPose()


class LookAtSpec(ControlSpec):
    """The head turned to look in another direction."""

    type: Literal["look-at"] = "look-at"
    yaw: float = Field(0.0, ge=-60, le=60)
    """Degrees towards the right edge of the picture."""
    pitch: float = Field(0.0, ge=-60, le=60)
    """Degrees towards the upper edge of the picture."""

    def build(self) -> Control:
        """Build the control."""
        from .head import LookAt

        return LookAt(self.yaw, self.pitch)


class ScaleLipsSpec(ControlSpec):
    """More or less lip and jaw motion."""

    type: Literal["scale-lips"] = "scale-lips"
    gain: float = Field(1.0, ge=0, le=10)
    """0 leaves the lips as in the reference, 1 changes nothing."""

    def build(self) -> Control:
        """Build the control."""
        from .mouth import ScaleLips

        return ScaleLips(self.gain)


class OffsetMouthSpec(ControlSpec):
    """A mouth that is open further, or less far."""

    type: Literal["offset-mouth"] = "offset-mouth"
    change: float | tuple[float, ...] = 0.0
    """What is added to the opening, in distances of the outer eye corners; a number, or one per frame."""

    def build(self) -> Control:
        """Build the control."""
        from .mouth_offset import OffsetMouth

        return OffsetMouth(self.change)


class CloseSilenceSpec(ControlSpec):
    """Lips and jaw at rest where the audio is silent."""

    type: Literal["close-silence"] = "close-silence"

    def build(self) -> Control:
        """Build the control."""
        from .silent_mouth import CloseSilence

        return CloseSilence()


class ScaleGroupSpec(ControlSpec):
    """More or less motion of one group of points, or of one named point such as a blend shape."""

    type: Literal["scale-group"] = "scale-group"
    group: str = "brows"
    """Name of a group or of one point of the representation, such as ``brows`` or ``jawOpen``."""
    gain: float = Field(1.0, ge=0, le=10)
    """0 leaves the points as in the reference, 1 changes nothing."""
    offset: float = Field(0.0, ge=-10, le=10)
    """Added to weights after the gain."""
    low: float | None = Field(None, ge=-10, le=10)
    """Smallest weight that is left; None: any."""
    high: float | None = Field(None, ge=-10, le=10)
    """Largest weight that is left; None: any."""

    def build(self) -> Control:
        """Build the control."""
        from .group import ScaleGroup

        return ScaleGroup(self.group, self.gain, self.offset, self.low, self.high)


class OffsetWeightsSpec(ControlSpec):
    """Named weights, such as blend shapes, raised or lowered."""

    type: Literal["offset-weights"] = "offset-weights"
    changes: dict[str, float | tuple[float, ...]] = Field(default_factory=dict)
    """What is added to each weight by its name, such as ``{"jawOpen": 0.2}``; a number, or one per frame."""

    def build(self) -> Control:
        """Build the control."""
        from .weight_offset import OffsetWeights

        return OffsetWeights(self.changes)


class SmoothSpec(ControlSpec):
    """A moving average of everything."""

    type: Literal["smooth"] = "smooth"
    window_ms: float = Field(80.0, ge=0, le=10_000)
    """Window (ms)."""

    def build(self) -> Control:
        """Build the control."""
        from .smoothing import Smooth

        return Smooth(self.window_ms)


class BlinkSpec(ControlSpec):
    """Blinks added to any motion of the lids."""

    type: Literal["blink"] = "blink"
    rate: float = Field(12.0, ge=0, le=60)
    """Blinks per minute on average."""
    seed: int = Field(0, ge=0, lt=SEEDS)
    """Seed of the times."""

    def build(self) -> Control:
        """Build the control."""
        from .blinks import Blink

        return Blink(self.rate, self.seed)


class BlinkAtPausesSpec(ControlSpec):
    """Blinks of a person who speaks: more where a phrase has just ended than within one."""

    type: Literal["blink-at-pauses"] = "blink-at-pauses"
    rate: float = Field(12.0, ge=0, le=60)
    """Blinks per minute on average."""
    seed: int = Field(0, ge=0, lt=SEEDS)
    """Seed of all that is random."""

    def build(self) -> Control:
        """Build the control."""
        from .pause_blinks import BlinkAtPauses

        return BlinkAtPauses(self.rate, self.seed)


class SaccadeSpec(ControlSpec):
    """Irises that look away and back, as those of a person who talks."""

    type: Literal["saccade"] = "saccade"
    amount: float = Field(1.0, ge=0, le=3)
    """Factor of the size of saccades; 0 changes nothing."""
    seed: int = Field(0, ge=0, lt=SEEDS)
    """Seed of times and directions."""

    def build(self) -> Control:
        """Build the control."""
        from .saccades import Saccade

        return Saccade(self.amount, self.seed)


class LimitSpec(ControlSpec):
    """Openings and head angles within the range of real people."""

    type: Literal["limit"] = "limit"
    mouth: float = Field(0.6, ge=0.01, le=2)
    """Opening of the mouth, in distances of the outer eye corners."""
    eye: float = Field(0.2, ge=0.01, le=2)
    """Opening of an eye, in distances of the outer eye corners."""
    yaw: float = Field(65.0, ge=1, le=90)
    """Degrees to either side, relative to the reference."""
    pitch: float = Field(40.0, ge=1, le=90)
    """Degrees up and down, relative to the reference."""
    roll: float = Field(40.0, ge=1, le=90)
    """Degrees to either shoulder, relative to the reference."""

    def build(self) -> Control:
        """Build the control."""
        from .limits import Limit

        return Limit(self.mouth, self.eye, self.yaw, self.pitch, self.roll)
