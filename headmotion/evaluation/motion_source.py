"""Sources of motion: a model, a folder of motion files, or a baseline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from ..core.motion import Motion
from .eval_clip import EvalClip


class MotionSource(ABC):
    """Gives motion for the speech of a clip, starting at the clip's first pose."""

    name: str
    protocol: Mapping[str, Any] = {}
    """How the motion is made, as JSON values."""

    @abstractmethod
    def motion(self, clip: EvalClip) -> Motion:
        """Return motion in pixels, of the length and at the rate of the real one.

        Raises:
            HeadmotionError: there is none for this clip, with the reason.
        """


@runtime_checkable
class SupportsSeeds(Protocol):
    """A source that gives other motion for the same speech, by seed."""

    def repeat(self, clip: EvalClip, number: int) -> Motion:
        """Return motion from another seed; ``number`` is 1 or more."""
        ...


@runtime_checkable
class SupportsLongMotion(Protocol):
    """A source that gives motion for speech of any length."""

    def long_motion(self, clip: EvalClip, frames: int) -> Motion:
        """Return this many frames, for the clip's speech followed by that of the next clips."""
        ...
