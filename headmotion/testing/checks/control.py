"""Checks of controls."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...controls.control import Control, ControlContext, SupportsSnapshot
from ...core.errors import MotionError
from ...core.motion import Motion
from ..control_subject import RATE, ControlSubject
from ..inputs import assert_close
from ..kit import NotApplicable, check

TOLERANCE = 1e-4
"""Of the unit frame: frames of a stream and of a whole may differ by rounding."""


@check("control", 1, "Return as many frames as you were given, of the same shape, and finite.")
def control_keeps_shapes(subject: ControlSubject) -> None:
    """An edited motion has the frames, the rate and the shape of the given one, and finite numbers."""
    motion, edited = _edited(subject)
    assert edited.values.shape == motion.values.shape, f"{list(edited.values.shape)} of {list(motion.values.shape)}"
    assert edited.fps == motion.fps, f"{edited.fps} fps of {motion.fps}"
    assert bool(edited.values.isfinite().all()), "NaN or infinity"


@check("control", 1, "Keep what the next frames need in the edit, and never use the end of a chunk.")
def control_streams_as_on_the_whole(subject: ControlSubject) -> None:
    """A stream gives the frames of the whole, however motion and speech are cut, once it has ended."""
    motion, edited = _edited(subject)
    for size in (1, 7):
        parts = _stream(subject, subject.build(), motion, size)
        assert_close(parts, edited.values, f"pieces of {size} frames", TOLERANCE * _side(motion))


@check("control", 2, "Compute with the frames and the seed only: no globals, no clock, no counters in the control.")
def control_is_a_value(subject: ControlSubject) -> None:
    """The same control edits a motion twice with the same result, and modifies neither the motion nor itself."""
    control, motion = subject.build(), _motion(subject)
    before = motion.values.clone()
    first, second = (control(motion, subject.speech(motion), RATE).values for _ in range(2))
    assert_close(first, second, "a second time", 0.0)
    assert torch.equal(motion.values, before), "the motion that is edited has changed"


@check("control", 2, "Give the edit get_state and set_state, so that sessions can be stored and moved.")
def control_can_be_stored(subject: ControlSubject) -> None:
    """A session is stored in the middle and goes on with the same frames."""
    motion, edited = _edited(subject)
    control, speech = subject.build(), subject.speech(motion)
    context, half = ControlContext.from_motion(motion, RATE), len(motion) // 2
    cut = round(half / float(motion.fps) * RATE)
    edit, resumed = control.start(context), control.start(context)
    if not isinstance(edit, SupportsSnapshot) or not isinstance(resumed, SupportsSnapshot):
        raise NotApplicable("its edit has no get_state and set_state")
    first = edit(motion.values[:half], speech[:cut], False)
    resumed.set_state(edit.get_state())
    second = resumed(motion.values[half:], speech[cut:], True)
    assert_close(torch.cat([first, second]), edited.values, "after storing", TOLERANCE * _side(motion))


@check("control", 2, "Let lookahead_ms return at least the look-ahead of the frames; add what the edit waits for.")
def control_states_its_look_ahead(subject: ControlSubject) -> None:
    """A frame is returned as soon as the edit has the speech up to the stated look-ahead beyond it."""
    control, motion = subject.build(), _motion(subject)
    assert control.lookahead_ms(100.0) >= 100, "less than the look-ahead of the frames"
    edit, speech = control.start(ControlContext.from_motion(motion, RATE)), subject.speech(motion)
    ready, wait_s = 0, control.lookahead_ms() / 1000
    for frame in range(len(motion) - 1):
        until = [round(k / float(motion.fps) * RATE) for k in (frame, frame + 1)]
        ready += len(edit(motion.values[frame : frame + 1], speech[slice(*until)], False))
        due = int((until[1] / RATE - wait_s) * float(motion.fps)) - 1
        assert ready >= due, f"{ready} frames where {due} are due by the stated {1000 * wait_s:g} ms"


def _motion(subject: ControlSubject) -> Motion:
    motion = subject.motion(40)
    try:
        subject.build()(motion, subject.speech(motion), RATE)
    except MotionError as error:  # the control is for another representation
        raise NotApplicable(str(error)) from None
    return motion


def _edited(subject: ControlSubject) -> tuple[Motion, Motion]:
    motion = _motion(subject)
    return motion, subject.build()(motion, subject.speech(motion), RATE)


def _stream(subject: ControlSubject, control: Control, motion: Motion, size: int) -> Tensor:
    edit, speech = control.start(ControlContext.from_motion(motion, RATE)), subject.speech(motion)
    parts, position = [], 0
    for first in range(0, len(motion), size):
        end = min(first + size, len(motion))
        until = len(speech) if end == len(motion) else round(end / float(motion.fps) * RATE)
        parts.append(edit(motion.values[first:end], speech[position:until], end == len(motion)))
        position = until
    return torch.cat(parts)


def _side(motion: Motion) -> float:
    return float(np.ptp(motion.values.numpy()))
