"""Specs of Fréchet distances between generated and real motion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ..core.interfaces.specs import BuildContext, MetricSpec

if TYPE_CHECKING:
    from .frechet import Frechet


class LastFramesSpec(MetricSpec):
    """Which frames the metrics of this family look at: the last of each generated length, at 25 frames per second."""

    frames: int = Field(40, ge=16, le=1000)
    """Frames that are looked at, ``n``; the rule of SUHMo and MS-Sync is the last 40."""
    durations: tuple[Annotated[int, Field(ge=1, le=100_000)], ...] = Field((40, 80, 200), min_length=1)
    """Generated lengths in frames, each of which gets figures of its own. Lengths below ``frames``, and clips that are
    shorter, are left out."""


class FIDSpec(LastFramesSpec):
    """FID of single frames, drawn as dots, by Inception-v3. Takes seconds per clip, and has no interval."""

    type: Literal["fid"] = "fid"
    weights: str
    """A ``.safetensors`` file with the weights of TensorFlow's Inception graph of 2015."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric; a CheckpointError if the weights do not fit."""
        from .frechet import Frechet
        from .raster_features import InceptionFrames

        return Frechet(self, context, InceptionFrames(context.representation, self.weights), draws=0)


class TemporalFIDSpec(LastFramesSpec):
    """t-FID: as `FIDSpec`, of the frames of each clip drawn into one picture, later ones heavier."""

    type: Literal["t-fid"] = "t-fid"
    weights: str
    """A ``.safetensors`` file with the weights of TensorFlow's Inception graph of 2015."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric; a CheckpointError if the weights do not fit."""
        from .frechet import Frechet
        from .raster_features import InceptionTraces

        return Frechet(self, context, InceptionTraces(context.representation, self.weights))


class FVDSpec(LastFramesSpec):
    """FVD of clips, drawn as dots, by I3D's logits of all steps."""

    type: Literal["fvd"] = "fvd"
    weights: str
    """A ``.safetensors`` file with I3D's weights ``rgb_imagenet``."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric; a CheckpointError if the weights do not fit."""
        from .frechet import Frechet
        from .raster_features import I3DClips

        return Frechet(self, context, I3DClips(context.representation, self.weights))


class FrechetMotionSpec(LastFramesSpec):
    """Fréchet distances of poses, velocities and accelerations as they are, for any representation."""

    type: Literal["frechet-motion"] = "frechet-motion"
    hop: int = Field(4, ge=1, le=1000)
    """Frames between two samples; neighbors say the same again."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric."""
        from .frechet import DRAWS, Frechet
        from .kinematics import MANY_POINTS, Kinematics

        draws = DRAWS if context.representation.points <= MANY_POINTS else 0
        return Frechet(self, context, Kinematics(context.representation, self.hop), draws)


class FrechetSyncersSpec(LastFramesSpec):
    """Fréchet distance at every level of what syncers see in motion: learned features that come with headmotion."""

    type: Literal["frechet-syncers"] = "frechet-syncers"
    syncers: str = "metric-syncers"
    """A file as ``headmotion train metric-syncers`` writes it, or the name of one that is bundled."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric.

        Raises:
            CheckpointError: the file of syncers is missing, damaged, or something else.
            SpecError: the syncers were trained on another representation.
        """
        from .frechet import Frechet
        from .syncer_features import SeenBySyncers

        return Frechet(self, context, SeenBySyncers(context.representation, self.syncers))
