"""The options of generated motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from ..controls import Control, MotionEdit
from ..core.arguments import as_list
from ..core.timing import Rate


class MotionOptions(TypedDict, total=False):
    """How motion is generated: keyword arguments of `Pipeline.generate` and of all that gives the same frames."""

    seed: int
    """The only source of randomness; 0 by default."""
    fps: Rate | None
    """Frames per second; None, the default, means the model's own."""
    controls: Sequence[MotionEdit]
    """Edits, applied in order; none by default. See `headmotion.controls`."""
    style: Any
    """A style of the generator, if it has styles (`SupportsStyle`); None, the default, means its own."""


def checked_controls(controls: Sequence[MotionEdit]) -> Sequence[MotionEdit]:
    """Return controls after a check that they are some.

    Raises:
        HeadmotionError: anything else.
    """
    what = "controls, such as headmotion.controls.blink(12)"
    return as_list(controls, "controls", what, lambda edit: isinstance(edit, Control) or callable(edit))
