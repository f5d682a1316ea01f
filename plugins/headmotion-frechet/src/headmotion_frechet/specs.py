"""Specs of the metrics. They are read without torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from headmotion import BuildContext
from headmotion.metrics.specs import FrechetSpec

if TYPE_CHECKING:
    from headmotion.metrics.frechet import Frechet


class FIDSpec(FrechetSpec):
    """FID of single frames, drawn as dots, by Inception-v3. It takes seconds per clip, and has no interval."""

    type: Literal["frechet/fid"] = "frechet/fid"
    weights: str
    """A ``.safetensors`` file with the weights of TensorFlow's Inception graph of 2015."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric.

        Raises:
            CheckpointError: the weights are missing or do not fit.
        """
        from headmotion.metrics.frechet import Frechet

        from .features import InceptionFrames

        # A draw of the bootstrap takes the singular values of a 2048 x 2048 matrix.
        return Frechet(self, context, InceptionFrames(context.representation, self.weights), draws=0)


class TemporalFIDSpec(FrechetSpec):
    """t-FID: as `FIDSpec`, but of the weighted mean of each clip's frames, in which later frames weigh more."""

    type: Literal["frechet/t-fid"] = "frechet/t-fid"
    weights: str
    """A ``.safetensors`` file with the weights of TensorFlow's Inception graph of 2015."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric.

        Raises:
            CheckpointError: the weights are missing or do not fit.
        """
        from headmotion.metrics.frechet import Frechet

        from .features import InceptionTraces

        return Frechet(self, context, InceptionTraces(context.representation, self.weights))


class FVDSpec(FrechetSpec):
    """FVD of clips, drawn as dots, by I3D's logits of all steps."""

    type: Literal["frechet/fvd"] = "frechet/fvd"
    weights: str
    """A ``.safetensors`` file with I3D's weights ``rgb_imagenet``."""

    def build(self, context: BuildContext) -> Frechet:
        """Make the metric.

        Raises:
            CheckpointError: the weights are missing or do not fit.
        """
        from headmotion.metrics.frechet import Frechet

        from .features import I3DClips

        return Frechet(self, context, I3DClips(context.representation, self.weights))
