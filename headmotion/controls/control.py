"""The interface of controls: edits that give the same frames for a finished motion as for a stream."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ParamSpec, Protocol, Self, cast, overload, runtime_checkable

import numpy as np
from torch import Tensor

from ..core.errors import MotionError
from ..core.interfaces.representation import Representation
from ..core.interfaces.specs import ControlSpec
from ..core.motion import Motion
from ..media.audio import Wave
from .checked_edits import edited_frames, start_edit

MotionEdit = Callable[[Motion], Motion]
"""Any edit of a finished motion; a `Control` is one that also works on a stream."""
NO_SPEECH: Wave = np.zeros(0, np.float32)

P = ParamSpec("P")


@dataclass(frozen=True, eq=False)
class ControlContext:
    """What a control gets before the first frame: the representation, the resting pose and the rates."""

    representation: Representation
    resting_pose: Tensor
    """The reference pose ``[P, D]``, in the units of the frames."""
    fps: Fraction
    sample_rate: int = 16_000
    """Rate of the speech that comes with the frames (Hz)."""

    @classmethod
    def from_motion(cls, motion: Motion, sample_rate: int = 16_000) -> Self:
        """Return the context of a finished motion; without a reference its first frame is the resting pose.

        Raises:
            MotionError: the values do not fit the representation.
            SpecError: an unknown representation.
        """
        representation = motion.build_representation()
        shape = (representation.points, representation.dims)
        resting_pose = motion.values[0] if motion.reference is None else motion.reference
        if motion.values.shape[1:] != shape or resting_pose.shape != shape:
            got = f"{list(motion.values.shape)} with a reference {list(resting_pose.shape)}"
            raise MotionError(f"motion of {representation.name}", f"values [T, {shape[0]}, {shape[1]}]", got)
        return cls(representation, resting_pose.cpu(), motion.fps, sample_rate)

    def points(self, control: str, *groups: str) -> tuple[int, ...]:
        """Return the points of groups, each point once.

        Args:
            control: name of the control, for the error.
            *groups: names of the groups.

        Raises:
            MotionError: the representation lacks a group.
        """
        members = self._members(control, "group", groups, self.representation.groups)
        return tuple(dict.fromkeys(members))

    def pairs(self, control: str, *openings: str) -> tuple[tuple[int, int], ...]:
        """Return the pairs of points (upper, lower) of openings.

        Args:
            control: name of the control, for the error.
            *openings: names of the openings.

        Raises:
            MotionError: the representation lacks an opening.
        """
        return tuple(self._members(control, "opening", openings, self.representation.openings))

    def _members(self, control: str, kind: str, names: tuple[str, ...], members: Mapping[str, Any]) -> list[Any]:
        for name in names:
            if not members.get(name):
                got = f"{self.representation.name} with {', '.join(members) or 'none'}"
                raise MotionError(control, f"a representation with the {kind} {name!r}", got)
        return [member for name in names for member in members[name]]


class StreamingEdit(Protocol):
    """The edit of one motion while its frames arrive: a function with a state."""

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        """Take the next frames and return those edited frames ``[t', P, D]`` that are now determined.

        Args:
            frames: ``[t, P, D]``.
            speech: mono wave ``[s]`` since the last call. It begins with the motion and may run ahead of it.
            last: whether both end here. Then all frames that were held back are returned.
        """


@runtime_checkable
class SupportsSnapshot(Protocol):
    """A streaming edit whose position can be stored, so that `Session.snapshot` works with its control.

    The control itself must be a dataclass of numbers and words.
    """

    def get_state(self) -> Any:
        """Return all that the edit remembers: tensors, arrays, numbers, words, in tuples, lists, dicts, dataclasses."""
        ...

    def set_state(self, state: Any) -> None:
        """Continue, as a new edit of the same control, where `get_state` was called."""
        ...


class Control(ABC):
    """An edit of a motion: call it on a finished one, or give it to `Pipeline.generate` or `Pipeline.stream`.

    A control is a value and keeps no state; the streaming edits that it starts do. A finished motion is edited as one
    large piece of a stream.
    """

    @abstractmethod
    def start(self, context: ControlContext) -> StreamingEdit:
        """Begin with a new motion.

        Raises:
            MotionError: the representation lacks what the control needs.
        """

    @abstractmethod
    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the speech (ms) beyond a frame's time stamp that the edited frame waits for.

        Args:
            frames_ms: the speech (ms) that the frame itself waits for.
        """

    def __call__(self, motion: Motion, speech: Wave = NO_SPEECH, sample_rate: int = 16_000) -> Motion:
        """Return the edited motion.

        Args:
            motion: of any representation that has what the control needs.
            speech: mono wave ``[S]``, for controls that depend on the audio.
            sample_rate: rate of the speech (Hz).

        Raises:
            MotionError: the representation lacks what the control needs.
        """
        # Without a reference and without frames there is no resting pose, and nothing to edit.
        if motion.reference is None and not len(motion):
            return motion
        edit = start_edit(self, ControlContext.from_motion(motion, sample_rate))
        # Edits compute in float64 on the CPU: some devices have no float64, and poses are few numbers.
        edited = edited_frames(self, edit, motion.values.cpu(), speech, True)
        return replace(motion, values=edited.to(motion.values.device))


class FrameControl(Control):
    """A control that edits frames independently of each other, and so streams without waiting."""

    @abstractmethod
    def make_edit(self, context: ControlContext) -> Callable[[Tensor], Tensor]:
        """Return the edit of any number of frames: float64 ``[t, P, D]`` in and out."""

    def start(self, context: ControlContext) -> StreamingEdit:
        """Begin with a new motion."""
        return _FrameEdit(self.make_edit(context))

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the look-ahead of the frames; the control adds nothing."""
        return frames_ms


@dataclass(frozen=True)
class _FrameEdit:
    edit: Callable[[Tensor], Tensor]

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        # A call without frames, with which a session may end, has no pose to fit.
        return self.edit(frames.double()).to(frames.dtype) if len(frames) else frames

    def get_state(self) -> None:
        """Nothing is remembered from frame to frame."""

    def set_state(self, state: None) -> None:
        """Do nothing."""


class ControlFunction(Protocol[P]):
    """A control as a function: with a motion it edits the motion, without one it makes the control."""

    @overload
    def __call__(self, motion: Motion, /, *args: P.args, **kwargs: P.kwargs) -> Motion: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Control: ...


def control_function(control: Callable[P, Control]) -> ControlFunction[P]:
    """Return a class of controls as a function.

    ``control_function(Smooth)(motion, 80)`` is ``Smooth(80)(motion)``, and ``control_function(Smooth)(80)`` is
    ``Smooth(80)``.
    """

    # Name and documentation of the class, but not the members of its ``__dict__``.
    @functools.wraps(control, updated=())
    def apply(*args: Any, **kwargs: Any) -> Motion | Control:
        if args and isinstance(args[0], Motion):
            return control(*args[1:], **kwargs)(args[0])
        return control(*args, **kwargs)

    # The signature for documentation and editors: the motion, then the arguments of the class.
    signature = inspect.signature(control)
    motion = inspect.Parameter("motion", inspect.Parameter.POSITIONAL_ONLY, annotation="Motion")
    parameters = [motion, *signature.parameters.values()]
    apply.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return cast("ControlFunction[P]", apply)


def check_fields(control: Control, spec: type[ControlSpec]) -> None:
    """Check a control by its spec, which alone has the limits, and give it the numbers as the spec has them.

    Args:
        control: a dataclass with the fields of the spec.
        spec: how a control of its class is described.

    Raises:
        SpecError: a field is out of range, or no number.
    """
    given = {name: getattr(control, name) for name in spec.model_fields if name != "type"}
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
    checked = spec.model_validate(plain, strict=True)  # a text is no number here, unlike in a form
    for name in given:
        object.__setattr__(control, name, getattr(checked, name))  # a control is frozen
