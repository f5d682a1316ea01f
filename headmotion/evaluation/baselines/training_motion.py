"""Baselines that replay training motion: its mean, or that of the clip with the most similar speech."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from ...audio_encoders.specs import LogMelSpec
from ...core.interfaces.specs import BuildContext
from ...core.motion import Motion
from ...media.audio import Wave
from ..eval_clip import EvalClip
from ..motion_source import MotionSource
from .context import BaselineContext, displacement, retarget, unavailable

POOL_STEPS = 10
"""Feature steps of 10 ms that are averaged, so that words matter and exact timing does not."""


class MeanMotion(MotionSource):
    """Frame by frame, the mean displacement of the training clips from their first pose.

    Clips that have ended no longer count; after the longest one the last frame is held.
    """

    name = "mean-motion"

    def __init__(self, context: BaselineContext) -> None:
        self.context = context
        self.protocol: Mapping[str, Any] = {
            "split": context.split.training_split,
            "clips": len(context.split.training_entries),
        }

    @override
    def motion(self, clip: EvalClip) -> Motion:
        return retarget(clip, self._mean, self.context)

    @cached_property
    def _mean(self) -> Tensor:
        total, count = torch.zeros(0), torch.zeros(0)
        for clip in self.context.split.training_clips():
            displaced = displacement(clip, self.context).double()
            # The sums grow with the longest clip so far, so that clips are read once.
            if len(displaced) > len(count):
                longer = torch.zeros_like(displaced)
                if len(total):
                    longer[: len(total)] = total
                count = torch.nn.functional.pad(count, (0, len(displaced) - len(count)))
                total = longer
            total[: len(displaced)] += displaced
            count[: len(displaced)] += 1
        if not len(count):
            raise unavailable(self.name, "a training clip", "none that can be read")
        return (total / count[:, None, None]).float()


@dataclass(frozen=True)
class _TrainingClip:
    index: int
    name: str
    features: Tensor
    """``[A / 10, C]``, each band relative to its mean."""
    frames: int


class NearestAudio(MotionSource):
    """The motion of the training clip with the most similar speech, applied to the clip's first pose.

    Similarity is the mean square difference of log mel energies (tenths of a second, each band relative to its mean)
    over the time that both last. A clip that is shorter than the evaluated one is used only if none is long enough.
    """

    name = "nearest-audio"

    def __init__(self, context: BaselineContext) -> None:
        self.context = context
        self._encoder = LogMelSpec().build(BuildContext(context.split.representation, 0))
        self.protocol: Mapping[str, Any] = {
            "split": context.split.training_split,
            "clips": len(context.split.training_entries),
            "features": LogMelSpec().model_dump(mode="json"),
        }

    @override
    def motion(self, clip: EvalClip) -> Motion:
        features, frames = self._features(clip.speech), len(clip.real)
        others = [other for other in self._training_clips if other.name != clip.name]
        if not others:
            raise unavailable(self.name, "another training clip", "none that can be read")
        # A shorter clip would hold its last frame to the end.
        candidates = [other for other in others if other.frames >= frames] or others
        nearest = min(candidates, key=lambda other: _distance(other.features, features))
        split = self.context.split
        source = EvalClip.from_clip(split.training_entries[nearest.index].read(), 0, split.representation)
        return retarget(clip, displacement(source, self.context), self.context)

    @cached_property
    def _training_clips(self) -> list[_TrainingClip]:
        """Features of all training clips, some kilobytes each."""
        return [
            _TrainingClip(clip.index, clip.name, self._features(clip.speech), len(clip.real))
            for clip in self.context.split.training_clips()
        ]

    @torch.inference_mode()
    def _features(self, speech: Wave) -> Tensor:
        steps = self._encoder(torch.from_numpy(speech)[None])[0]
        # Speech shorter than one pool still gives one step.
        whole = max(len(steps) // POOL_STEPS, 1) * POOL_STEPS
        pooled = steps[:whole].unfold(0, min(POOL_STEPS, len(steps)), POOL_STEPS).mean(-1)
        # The mean of a band is the microphone and the voice, not the words.
        centered: Tensor = pooled - pooled.mean(dim=0)
        return centered


def _distance(left: Tensor, right: Tensor) -> float:
    length = min(len(left), len(right))
    return float((left[:length] - right[:length]).square().mean())
