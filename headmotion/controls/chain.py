"""A sequence of controls, applied to a motion that arrives in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from ..core.motion import Motion
from ..media.audio import Wave
from .control import Control, ControlContext, MotionEdit


class ControlChain:
    """The controls of one session, in order.

    A callable that is no `Control` needs a finished motion. From the first such callable on, frames are held back until
    the end.
    """

    def __init__(self, controls: Sequence[MotionEdit], context: ControlContext) -> None:
        # Order matters to controls, so those that follow a plain function run at the end as well.
        streaming = list(takewhile(lambda control: isinstance(control, Control), controls))
        self._streaming = [control.start(context) for control in streaming if isinstance(control, Control)]
        self._at_end = list(controls[len(streaming) :])
        self._sample_rate = context.sample_rate
        self._motion: list[Motion] = []
        self._speech: list[Wave] = []

    def __call__(self, motion: Motion, speech: Wave, last: bool = False) -> Motion:
        """Take the next piece and return those edited frames that are now determined.

        Args:
            motion: the next frames.
            speech: mono wave ``[s]`` at the context's rate, since the last call.
            last: whether both end here.
        """
        values = motion.values
        for edit in self._streaming:
            values = edit(values, speech, last)
        motion = replace(motion, values=values)
        if not self._at_end:
            return motion
        self._motion.append(motion)
        self._speech.append(speech)
        return self._finish() if last else motion[:0]

    def _finish(self) -> Motion:
        motion, speech = Motion.concatenate(self._motion), np.concatenate(self._speech)
        for control in self._at_end:
            audio = (speech, self._sample_rate) if isinstance(control, Control) else ()
            motion = control(motion, *audio)
        return motion


def chain_lookahead_ms(controls: Sequence[MotionEdit], frames_ms: float | None) -> float | None:
    """Return the look-ahead (ms) behind all controls; None if a frame needs the entire clip.

    Args:
        controls: in order.
        frames_ms: the look-ahead before the controls; None if the frames need the entire clip.
    """
    for control in controls:
        if frames_ms is None or not isinstance(control, Control):
            return None
        frames_ms = control.lookahead_ms(frames_ms)
    return frames_ms
