"""Checks of what controls return: a wrong output of a plugin's control is one error that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from ..core.errors import OutputError
from ..core.outputs import REMEDY
from ..core.short_repr import shown
from ..media.audio import Wave

if TYPE_CHECKING:
    from .control import Control, ControlContext, StreamingEdit


def start_edit(control: Control, context: ControlContext) -> StreamingEdit:
    """Return the edit that a control starts.

    Raises:
        OutputError: it is no function.
    """
    edit = control.start(context)
    if not callable(edit):
        raise _wrong_output(control, "start to return a function of frames, speech and last", edit)
    return edit


def edited_frames(control: Control, edit: StreamingEdit, frames: Tensor, speech: Wave, last: bool) -> Tensor:
    """Return what the edit of a control makes of frames ``[t, P, D]``.

    Raises:
        OutputError: it is no tensor of such poses.
    """
    edited: object = edit(frames, speech, last)
    if not (isinstance(edited, Tensor) and edited.is_floating_point() and edited.shape[1:] == frames.shape[1:]):
        raise _wrong_output(control, f"its edit to return a floating-point tensor [t, {frames.shape[1]}, ...]", edited)
    return edited


def _wrong_output(control: Control, expected: str, got: object) -> OutputError:
    owner = type(control)
    return OutputError(f"control {owner.__module__}.{owner.__qualname__}", expected, shown(got), REMEDY)
