"""Where motion comes from: a model, a folder of motion files, or a baseline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from ..core.motion import Motion
from .eval_clip import Case


class Source(ABC):
    """Motion for the speech of a clip, from its first pose."""

    name: str
    protocol: Mapping[str, Any] = {}
    """How the motion is made, as JSON values."""

    @abstractmethod
    def motion(self, case: Case) -> Motion:
        """In pixels, as long and at the rate of the real one.

        Raises:
            HeadmotionError: there is none for this clip, with the reason.
        """


@runtime_checkable
class Repeats(Protocol):
    """A source that chance can make say the same in other ways."""

    def again(self, case: Case, repeat: int) -> Motion:
        """Motion from another seed; ``repeat`` from 1."""
        ...


@runtime_checkable
class GoesOn(Protocol):
    """A source that has motion for any length of speech."""

    def long(self, case: Case, frames: int) -> Motion:
        """So many frames for the clip's speech and that of those after it."""
        ...
