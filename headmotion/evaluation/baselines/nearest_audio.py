"""What somebody did who said much the same."""

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
from ..eval_clip import Case
from ..motion_source import Source
from .context import Setting, cannot, displacement, retargeted

POOLED = 10
"""Steps of 10 ms whose features are averaged: words matter, not the exact time."""


@dataclass(frozen=True)
class _Heard:
    number: int
    name: str
    features: Tensor
    frames: int


class NearestAudio(Source):
    """The motion of the training clip whose speech is nearest, put onto the clip's first pose.

    Near: by the mean square difference of log mel energies (tenths of a second, each band around its own mean) over
    the time that both last. A clip that is shorter than the one evaluated is taken only where none is long enough.
    """

    name = "nearest-audio"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._encoder = LogMelSpec().build(BuildContext(setting.clips.representation, 0))
        self.protocol: Mapping[str, Any] = {
            "split": setting.clips.lesson_split,
            "clips": len(setting.clips.lessons),
            "features": LogMelSpec().model_dump(mode="json"),
        }

    @override
    def motion(self, case: Case) -> Motion:
        wanted, seconds = self._features(case.speech), len(case.real)
        others = [each for each in self._heard if each.name != case.name]
        if not others:
            raise cannot(self.name, "another clip to learn from", "none that can be read")
        usable = [each for each in others if each.frames >= seconds] or others
        nearest = min(usable, key=lambda each: _distance(each.features, wanted))
        lesson = Case.of(self.setting.clips.lessons[nearest.number].read(), 0, self.setting.clips.representation)
        return retargeted(case, displacement(lesson, self.setting), self.setting)

    @cached_property
    def _heard(self) -> list[_Heard]:
        """All clips to learn from; some kilobytes each."""
        return [
            _Heard(each.number, each.name, self._features(each.speech), len(each.real))
            for each in self.setting.clips.learned()
        ]

    @torch.inference_mode()
    def _features(self, speech: Wave) -> Tensor:
        steps = self._encoder(torch.from_numpy(speech)[None])[0]
        pooled = steps[: max(len(steps) // POOLED, 1) * POOLED].unfold(0, min(POOLED, len(steps)), POOLED).mean(-1)
        centered: Tensor = pooled - pooled.mean(dim=0)
        return centered


def _distance(one: Tensor, other: Tensor) -> float:
    length = min(len(one), len(other))
    return float((one[:length] - other[:length]).square().mean())
