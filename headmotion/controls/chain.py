"""A sequence of controls, applied to a motion that arrives in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

import numpy as np

from ..core.errors import CheckpointError
from ..core.motion import Motion
from ..media.audio import Wave
from .checked_edits import edited_frames, start_edit
from .control import Control, ControlContext, MotionEdit, SupportsSnapshot


class ControlChain:
    """The controls of one session, in order.

    A callable that is no `Control` needs a finished motion. From the first such callable on, frames are held back until
    the end.
    """

    def __init__(self, controls: Sequence[MotionEdit], context: ControlContext) -> None:
        # Order matters to controls, so those that follow a plain function run at the end as well.
        until_function = takewhile(lambda control: isinstance(control, Control), controls)
        self._controls = [control for control in until_function if isinstance(control, Control)]
        self._streaming = [start_edit(control, context) for control in self._controls]
        self._at_end = list(controls[len(self._controls) :])
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
        if not self._controls and not self._at_end:
            return motion
        values = motion.values
        for control, edit in zip(self._controls, self._streaming, strict=True):
            values = edited_frames(control, edit, values, speech, last)
        motion = replace(motion, values=values)
        if not self._at_end:
            return motion
        self._motion.append(motion)
        self._speech.append(speech)
        return self._finish() if last else motion[:0]

    def get_state(self) -> list[Any]:
        """Return the states of the edits, if all of them can be stored.

        Raises:
            CheckpointError: one cannot.
        """
        for control in self._at_end:
            raise _no_snapshot(control)
        for control, edit in zip(self._controls, self._streaming, strict=True):
            if not isinstance(edit, SupportsSnapshot):
                raise _no_snapshot(control)
        return [edit.get_state() for edit in self._streaming if isinstance(edit, SupportsSnapshot)]

    def set_state(self, state: list[Any]) -> None:
        """Continue where `get_state` was called."""
        for edit, stored in zip(self._streaming, state, strict=True):
            assert isinstance(edit, SupportsSnapshot)
            edit.set_state(stored)

    def _finish(self) -> Motion:
        motion, speech = Motion.concatenate(self._motion), np.concatenate(self._speech)
        for control in self._at_end:
            audio = (speech, self._sample_rate) if isinstance(control, Control) else ()
            motion = control(motion, *audio)
        return motion


def _no_snapshot(control: MotionEdit) -> CheckpointError:
    name = getattr(control, "__name__", type(control).__name__)
    expected = "a dataclass control whose edit has get_state and set_state"
    return CheckpointError(f"snapshot of the control {name}", expected, "another", "use only controls that have it")


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
