"""The model with the wrong speech: what it reaches without listening."""

from __future__ import annotations

import numpy as np
from typing_extensions import override

from ...core.motion import Motion
from ..eval_clip import Case
from ..motion_source import Source
from .context import Setting, cannot


class ShuffledAudio(Source):
    """Each clip's first pose with the speech of the clip half a corpus further on, repeated if it is too short."""

    name = "shuffled-audio"

    def __init__(self, setting: Setting) -> None:
        if setting.model is None:
            raise cannot(self.name, "a model", "a folder of motions")
        if len(setting.clips) < 2:
            raise cannot(self.name, "two clips or more", "one")
        self.model, self.clips = setting.model, setting.clips

    @override
    def motion(self, case: Case) -> Motion:
        other = self.clips[(case.number + len(self.clips) // 2) % len(self.clips)]
        return self.model.spoken(case, np.resize(other.speech, len(case.speech)))
