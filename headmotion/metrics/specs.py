"""Specs of the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from ..core.errors import SpecError
from ..core.interfaces.specs import BuildContext, DetectorSpec, MetricSpec
from ..core.spec import SpecField

if TYPE_CHECKING:
    from .av_sync import AVSync
    from .beat import Beat
    from .blink import Blink
    from .diversity import Diversity
    from .drift import Drift
    from .frechet import Frechet
    from .head_motion import HeadMotion
    from .jitter import Jitter
    from .landmark_distance import FrontalDistance, LandmarkDistance, LipError
    from .lpips import Lpips
    from .mouth_opening import MouthOpening
    from .picture_similarity import Psnr, Ssim
    from .redetected_distance import RedetectedDistance


class LandmarkDistanceSpec(MetricSpec):
    """LMD: mean distance of the mouth's points, relative to their center (Chen, Li, Maddox, Duan, Xu 2018)."""

    type: Literal["lmd"] = "lmd"
    group: str = "lips"
    """Group of points."""

    def build(self, context: BuildContext) -> LandmarkDistance:
        """Make the metric."""
        from .landmark_distance import LandmarkDistance

        return LandmarkDistance(self, context)


class FrontalDistanceSpec(MetricSpec):
    """LMD of mouths turned to the front, for representations with depth (Airale, Vaufreydaz, Alameda-Pineda)."""

    type: Literal["lmd-frontal"] = "lmd-frontal"
    group: str = "lips"
    """Group of points; its outermost two in the neutral pose are the corners of the mouth."""

    def build(self, context: BuildContext) -> FrontalDistance:
        """Make the metric."""
        from .landmark_distance import FrontalDistance

        return FrontalDistance(self, context)


class LipErrorSpec(MetricSpec):
    """Lip vertex error: the largest error of any lip point in each frame (Richard et al. 2021)."""

    type: Literal["lip-vertex-error"] = "lip-vertex-error"
    group: str = "lips"
    """Group of points."""
    relative_to: str | None = "nose"
    """Group whose center is subtracted in each frame; None compares absolute positions."""

    def build(self, context: BuildContext) -> LipError:
        """Make the metric."""
        from .landmark_distance import LipError

        return LipError(self, context)


class OpeningSpec(MetricSpec):
    """Correlation and amplitude of the mouth's opening against the recorded one."""

    type: Literal["opening"] = "opening"
    opening: str = "mouth"
    """Opening whose first pair of points is measured."""
    low_hz: float = Field(1.0, gt=0)
    """Lower end of the pass band (Hz)."""
    high_hz: float = Field(8.0, gt=0)
    """Upper end of the pass band (Hz)."""
    reach_frames: int = Field(3, ge=0, le=1000)
    """Largest lag in frames, either way, over which the correlation is maximized."""

    @model_validator(mode="after")
    def _check_band(self) -> Self:
        if self.low_hz >= self.high_hz:
            raise SpecError("opening spec", f"low_hz below high_hz {self.high_hz:g}", f"{self.low_hz:g}")
        return self

    def build(self, context: BuildContext) -> MouthOpening:
        """Make the metric."""
        from .mouth_opening import MouthOpening

        return MouthOpening(self, context)


class HeadMotionSpec(MetricSpec):
    """Spread and speed of the head's rotation and translation; of all points, for representations without a face."""

    type: Literal["head-motion"] = "head-motion"
    low_pass_hz: float = Field(5.0, gt=0)
    """Cutoff of the low-pass filter, which removes detector jitter (Hz)."""

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
    """Distance of the pose from its start, over time."""

    type: Literal["drift"] = "drift"
    frames: int = Field(400, ge=2)
    """Length of the long motion: five times the 80 frames that such models are often trained on."""
    window_frames: int = Field(40, ge=1)
    """Length of each window in frames."""

    @model_validator(mode="after")
    def _check_two_windows(self) -> Self:
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
    width_ms: float = Field(50.0, gt=0, le=60_000)
    """Width of the kernel: three frames at 60 fps, as in the source."""
    smooth_ms: float = Field(83.3, gt=0, le=60_000)
    """Standard deviation of the Gaussian that smooths the speed: five frames at 60 fps."""

    def build(self, context: BuildContext) -> Beat:
        """Make the metric."""
        from .beat import Beat

        return Beat(self, context)


class BlinkSpec(MetricSpec):
    """Blinks per minute."""

    type: Literal["blink"] = "blink"
    closed: float = Field(0.6, gt=0, lt=1)
    """Fraction of its median opening below which an eye counts as closed."""
    longest_ms: float = Field(600.0, gt=0, le=60_000)
    """Longest blink."""

    def build(self, context: BuildContext) -> Blink:
        """Make the metric."""
        from .blink import Blink

        return Blink(self, context)


class AVSyncSpec(MetricSpec):
    """Offset and confidence of audio and motion at every level of trained syncers (MS-Sync's AV-Offset and AV-Conf)."""

    type: Literal["av-sync"] = "av-sync"
    syncers: str = "metric-syncers"
    """A file that ``headmotion train metric-syncers`` wrote, or the name of a bundled one."""
    convention: Literal["valid-pairs", "syncnet"] = "valid-pairs"
    """``valid-pairs`` averages over windows that have a partner, and shifts by at most half the windows of a level.
    ``syncnet`` is SyncNet's published definition: missing audio is zeros, and ``reach`` is the same at every level."""
    reach: int = Field(15, ge=1, le=1000)
    """Largest shift in windows, ``V``; a window starts at every frame of its level."""

    def build(self, context: BuildContext) -> AVSync:
        """Make the metric, which has an audio encoder of its own.

        Raises:
            CheckpointError: the file of syncers is missing, damaged, or something else.
            SpecError: the syncers were trained on another representation.
        """
        from .av_sync import AVSync

        return AVSync(self, context)


class FrechetSpec(MetricSpec):
    """Base of the specs of Fréchet distances: the last frames of each generated length, at 25 fps.

    A plugin derives its own from it and builds a `headmotion.metrics.frechet.Frechet` with its own features.
    """

    frames: int = Field(40, ge=16, le=1000)
    """Frames that are compared, ``n``; SUHMo and MS-Sync compare the last 40."""
    durations: tuple[Annotated[int, Field(ge=1, le=100_000)], ...] = Field((40, 80, 200), min_length=1)
    """Generated lengths in frames, each with values of its own. Lengths below ``frames``, and shorter clips, are left
    out."""


class FrechetMotionSpec(FrechetSpec):
    """Fréchet distances of poses, velocities and accelerations, for any representation."""

    type: Literal["frechet-motion"] = "frechet-motion"
    hop: int = Field(4, ge=1, le=1000)
    """Frames between two samples; neighboring frames are nearly the same."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric."""
        from .frechet import BOOTSTRAP_DRAWS, Frechet
        from .frechet_features import MANY_POINTS, KinematicFeatures

        draws = BOOTSTRAP_DRAWS if context.representation.points <= MANY_POINTS else 0
        return Frechet(self, context, KinematicFeatures(context.representation, self.hop), draws)


class FrechetSyncersSpec(FrechetSpec):
    """Fréchet distance of the motion embeddings of trained syncers, at every level; the syncers are bundled."""

    type: Literal["frechet-syncers"] = "frechet-syncers"
    syncers: str = "metric-syncers"
    """A file that ``headmotion train metric-syncers`` wrote, or the name of a bundled one."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric.

        Raises:
            CheckpointError: the file of syncers is missing, damaged, or something else.
            SpecError: the syncers were trained on another representation.
        """
        from .frechet import Frechet
        from .frechet_features import SyncerFeatures

        return Frechet(self, context, SyncerFeatures(context.representation, self.syncers))


class PsnrSpec(MetricSpec):
    """Peak signal-to-noise ratio of generated pictures (dB)."""

    type: Literal["psnr"] = "psnr"
    group: str | None = None
    """Compare only pixels around this group of points, such as ``lips``; None compares whole pictures."""
    margin: float = Field(0.25, ge=0)
    """Room around the group's points on each side, as a fraction of the longer edge of their box."""

    def build(self, context: BuildContext) -> Psnr:
        """Make the metric."""
        from .picture_similarity import Psnr

        return Psnr(self, context)


class SsimSpec(MetricSpec):
    """Structural similarity of generated pictures (Wang, Bovik, Sheikh, Simoncelli 2004)."""

    type: Literal["ssim"] = "ssim"
    group: str | None = None
    """Compare only pixels around this group of points, such as ``lips``; None compares whole pictures."""
    margin: float = Field(0.25, ge=0)
    """Room around the group's points on each side, as a fraction of the longer edge of their box."""

    def build(self, context: BuildContext) -> Ssim:
        """Make the metric."""
        from .picture_similarity import Ssim

        return Ssim(self, context)


class LpipsSpec(MetricSpec):
    """LPIPS: learned perceptual distance of generated pictures (Zhang, Isola, Efros, Shechtman, Wang 2018)."""

    type: Literal["lpips"] = "lpips"
    weights: str
    """Path of a ``.safetensors`` file with AlexNet's features and the learned weights, under the names of the package
    lpips; nothing is downloaded."""

    def build(self, context: BuildContext) -> Lpips:
        """Make the metric."""
        from .lpips import Lpips

        return Lpips(self)


class RedetectedDistanceSpec(MetricSpec):
    """LMD of landmarks that a detector finds in the generated pictures."""

    type: Literal["lmd-redetected"] = "lmd-redetected"
    group: str = "lips"
    """Group of points."""
    detector: SpecField[DetectorSpec] | None = None
    """Finds the points; None: ``face-mesh``, which is bundled."""
    every: int = Field(1, ge=1)
    """Step between the frames that are searched; a larger one takes less time."""

    def build(self, context: BuildContext) -> RedetectedDistance:
        """Make the metric."""
        from .redetected_distance import RedetectedDistance

        return RedetectedDistance(self, context)
