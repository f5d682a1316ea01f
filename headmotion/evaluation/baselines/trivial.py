"""Baselines without a method of their own: the real motion, none, and the model with the wrong speech."""

from __future__ import annotations

import numpy as np
from typing_extensions import override

from ...core.motion import Motion
from ..eval_clip import EvalClip
from ..motion_source import MotionSource
from .context import BaselineContext, unavailable


class GroundTruth(MotionSource):
    """The real motion: what a perfect model would reach, and how a metric values the truth itself."""

    name = "ground-truth"

    def __init__(self, context: BaselineContext) -> None:
        pass

    @override
    def motion(self, clip: EvalClip) -> Motion:
        return clip.real


class Static(MotionSource):
    """The first pose, held."""

    name = "static"

    def __init__(self, context: BaselineContext) -> None:
        pass

    @override
    def motion(self, clip: EvalClip) -> Motion:
        return clip.to_motion(clip.reference.unsqueeze(0))


class ShuffledAudio(MotionSource):
    """The model with the speech of another clip: what it reaches without listening.

    It is the speech of the clip half a split further on, repeated if it is too short.
    """

    name = "shuffled-audio"

    def __init__(self, context: BaselineContext) -> None:
        if context.model is None:
            raise unavailable(self.name, "a model", "a folder of motions")
        if len(context.split) < 2:
            raise unavailable(self.name, "two clips or more", "one")
        self.model, self.split = context.model, context.split

    @override
    def motion(self, clip: EvalClip) -> Motion:
        # Half a split further on, because neighbors may be of one speaker or one sentence.
        shifted_clip = self.split[(clip.index + len(self.split) // 2) % len(self.split)]
        return self.model.motion_for_speech(clip, np.resize(shifted_clip.speech, len(clip.speech)))
