"""What a control is: an edit of a motion that gives the same frames on the whole as on a stream."""

from __future__ import annotations

import functools
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ParamSpec, Protocol, Self, cast, overload

import numpy as np
from torch import Tensor

from ..core.errors import MotionError, SpecError
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import RepresentationSpec
from ..core.motion import Motion
from ..core.spec import resolve_spec
from ..media.audio import Wave

Edit = Callable[[Motion], Motion]
"""Any edit of a finished motion; a `Control` is one that can also work on a stream."""
NO_SPEECH: Wave = np.zeros(0, np.float32)

P = ParamSpec("P")


@dataclass(frozen=True, eq=False)
class Setting:
    """What a control knows before the first frame comes."""

    representation: Representation
    rest: Tensor
    """The reference pose ``[P, D]``, in the units of the frames."""
    fps: Fraction
    sample_rate: int = 16_000
    """Rate of the speech that comes along with the frames (Hz)."""

    @classmethod
    def of(cls, motion: Motion, sample_rate: int = 16_000) -> Self:
        """The setting of a motion that is there; its first frame is the rest pose if it has no reference.

        Raises:
            MotionError: the values do not fit the representation.
            SpecError: an unknown representation.
        """
        spec = cast("RepresentationSpec", resolve_spec("representation", dict(motion.representation)))
        representation = spec.build()
        pose = (representation.points, representation.dims)
        rest = motion.values[0] if motion.reference is None else motion.reference
        if motion.values.shape[1:] != pose or rest.shape != pose:
            got = f"{list(motion.values.shape)} with a reference {list(rest.shape)}"
            raise MotionError(f"motion of {representation.name}", f"values [T, {pose[0]}, {pose[1]}]", got)
        return cls(representation, rest.cpu(), motion.fps, sample_rate)

    def points(self, control: str, *groups: str) -> tuple[int, ...]:
        """All points of the named groups.

        Raises:
            MotionError: the representation lacks a group.
        """
        known = self.representation.groups
        self._need(control, "group", groups, known)
        return tuple(dict.fromkeys(point for group in groups for point in known[group]))

    def pairs(self, control: str, *openings: str) -> tuple[tuple[int, int], ...]:
        """The pairs of points, upper and lower, of the named openings.

        Raises:
            MotionError: the representation lacks an opening.
        """
        known = self.representation.openings
        self._need(control, "opening", openings, known)
        return tuple(pair for opening in openings for pair in known[opening])

    def _need(self, control: str, what: str, names: tuple[str, ...], known: Any) -> None:
        for name in names:
            if not known.get(name):
                got = f"{self.representation.name} with {', '.join(known) or 'none'}"
                raise MotionError(control, f"a representation with the {what} {name!r}", got)


class Step(Protocol):
    """A control at work on one motion: a function with a memory."""

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        """The next frames ``[t, P, D]`` in, the edited frames that are now determined ``[t', P, D]`` out.

        ``speech`` is whatever was heard since the last call; it begins with the motion and may run ahead of it. With
        ``last`` both end here, and all frames that are still held come out.
        """


class Control(ABC):
    """An edit of a motion: call it on a finished one, or give it to `Pipeline.generate` or `Pipeline.stream`.

    A control is a value and keeps no state; the steps that it starts do. A finished motion is one large step.
    """

    @abstractmethod
    def start(self, setting: Setting) -> Step:
        """Begin with a new motion.

        Raises:
            MotionError: the representation lacks what the control needs.
        """

    @abstractmethod
    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Speech (ms) beyond a frame's time stamp that the edited frame waits for.

        Args:
            frames_ms: what the frame itself waits for.
        """

    def __call__(self, motion: Motion, speech: Wave = NO_SPEECH, sample_rate: int = 16_000) -> Motion:
        """The edited motion.

        Args:
            motion: of any representation that has what the control needs.
            speech: mono wave ``[S]``, for controls that listen.
            sample_rate: its rate (Hz).

        Raises:
            MotionError: the representation lacks what the control needs.
        """
        if motion.reference is None and not len(motion):
            return motion
        step = self.start(Setting.of(motion, sample_rate))
        return replace(motion, values=step(motion.values.cpu(), speech, True).to(motion.values.device))


class FrameControl(Control):
    """A control that treats each frame on its own, and so streams without waiting."""

    @abstractmethod
    def editor(self, setting: Setting) -> Callable[[Tensor], Tensor]:
        """The edit of any number of frames: float64 ``[t, P, D]`` in and out."""

    def start(self, setting: Setting) -> Step:
        """Begin with a new motion."""
        edit = self.editor(setting)
        return lambda frames, speech, last: edit(frames.double()).to(frames.dtype) if len(frames) else frames

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Nothing is waited for."""
        return frames_ms


class Verb(Protocol[P]):
    """A control's name as a function: with a motion it edits it, without one it makes the control."""

    @overload
    def __call__(self, motion: Motion, /, *args: P.args, **kwargs: P.kwargs) -> Motion: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Control: ...


def verb(control: Callable[P, Control]) -> Verb[P]:
    """``verb(Smooth)(motion, 80)`` is ``Smooth(80)(motion)``, and ``verb(Smooth)(80)`` is ``Smooth(80)``."""

    @functools.wraps(control, updated=())
    def apply(*args: Any, **kwargs: Any) -> Motion | Control:
        if args and isinstance(args[0], Motion):
            return control(*args[1:], **kwargs)(args[0])
        return control(*args, **kwargs)

    own = inspect.signature(control)
    motion = inspect.Parameter("motion", inspect.Parameter.POSITIONAL_ONLY, annotation="Motion")
    apply.__signature__ = own.replace(parameters=[motion, *own.parameters.values()])  # type: ignore[attr-defined]
    return cast("Verb[P]", apply)


def in_range(control: str, name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a number that is not finite or not in ``low``..``high``.

    Raises:
        SpecError: what was expected and what was given.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or math.isinf(value):
        bound = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of {low:g} or more"
        raise SpecError(control, f"{name}: a number {bound}", repr(value)[:80])
