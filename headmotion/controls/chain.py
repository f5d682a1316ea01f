"""Controls in order, on a motion that comes in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from ..core.motion import Motion
from ..media.audio import Wave
from .control import Control, Edit, Setting


class Chain:
    """The controls of one session.

    A callable that is no `Control` wants a finished motion: from the first such on, frames are held until the end.
    """

    def __init__(self, controls: Sequence[Edit], setting: Setting) -> None:
        streamed = list(takewhile(lambda control: isinstance(control, Control), controls))
        self._steps = [control.start(setting) for control in streamed if isinstance(control, Control)]
        self._at_end = list(controls[len(streamed) :])
        self._sample_rate = setting.sample_rate
        self._held: list[Motion] = []
        self._heard: list[Wave] = []

    def __call__(self, motion: Motion, speech: Wave, last: bool = False) -> Motion:
        """The next piece in, the edited frames that are now determined out."""
        values = motion.values
        for step in self._steps:
            values = step(values, speech, last)
        motion = replace(motion, values=values)
        if not self._at_end:
            return motion
        self._held.append(motion)
        self._heard.append(speech)
        return self._edited() if last else motion[:0]

    def _edited(self) -> Motion:
        motion, speech = Motion.concatenate(self._held), np.concatenate(self._heard)
        for control in self._at_end:
            heard = (speech, self._sample_rate) if isinstance(control, Control) else ()
            motion = control(motion, *heard)
        return motion


def chain_lookahead_ms(controls: Sequence[Edit], frames_ms: float | None) -> float | None:
    """The look-ahead behind all controls, given that before them; None: the whole clip."""
    for control in controls:
        if frames_ms is None or not isinstance(control, Control):
            return None
        frames_ms = control.lookahead_ms(frames_ms)
    return frames_ms
