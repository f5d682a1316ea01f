"""Named weights, such as blend shapes or action units, raised or lowered by numbers or by curves over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.arguments import is_finite_number
from ..core.errors import MotionError, SpecError, did_you_mean
from ..core.short_repr import short_repr
from ..media.audio import Wave
from .control import Control, ControlContext, StreamingEdit

NAME = "offset_weights"
LOW, HIGH = 0.0, 1.0
"""Range of weights. A weight that is beyond it stays where it is unless it is brought back."""


@dataclass(frozen=True)
class OffsetWeights(Control):
    """Weights of a motion with one number per name, each changed by its own number, within 0..1.

    Where a change is a curve, frame ``k`` of the motion takes its ``k``-th number; the last one holds on.
    """

    changes: Mapping[str, float | Sequence[float]]
    """What is added to each weight by its name, such as ``{"jawOpen": 0.2}``; a number, or one per frame."""

    def __post_init__(self) -> None:
        if not isinstance(self.changes, Mapping):
            raise SpecError(NAME, "changes by name, such as {'jawOpen': 0.2}", short_repr(self.changes))
        curves = {str(name): change_curve(NAME, str(name), change) for name, change in self.changes.items()}
        object.__setattr__(self, "changes", curves)

    def start(self, context: ControlContext) -> StreamingEdit:
        """Begin with a new motion.

        Raises:
            MotionError: another representation than named weights, or one that lacks a name.
        """
        representation = context.representation
        if representation.dims != 1:
            expected = "weights, one number per name, such as blend shapes"
            raise MotionError(NAME, expected, f"{representation.name}, {representation.dims} numbers per point")
        if unknown := [name for name in self.changes if name not in representation.point_names]:
            known = representation.point_names
            remedy = did_you_mean(unknown[0], known, f"the names are {', '.join(known)}")
            raise MotionError(NAME, f"names of {representation.name}", repr(unknown[0]), remedy)
        curves = {
            representation.point_names.index(name): change_curve(NAME, name, change)
            for name, change in self.changes.items()
        }
        return _OffsetEdit(curves)

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the look-ahead of the frames; the control adds nothing."""
        return frames_ms


def change_curve(control: str, name: str, change: float | Sequence[float]) -> tuple[float, ...]:
    """Return a change as one number or more.

    Args:
        control: name of the control, for the error.
        name: of what is changed, for the error.
        change: a number, or one per frame.

    Raises:
        SpecError: no number, or one that is not finite.
    """
    values = tuple(change) if isinstance(change, Iterable) else (change,)
    if not values or not all(map(is_finite_number, values)):
        raise SpecError(control, f"{name}: a finite number, or one per frame", short_repr(change))
    return tuple(float(value) for value in values)


class _OffsetEdit:
    def __init__(self, curves: Mapping[int, Sequence[float]]) -> None:
        self._curves, self._frame = curves, 0

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        edited, numbers = frames.clone(), torch.arange(self._frame, self._frame + len(frames))
        for point, curve in self._curves.items():
            change = torch.tensor(curve, dtype=frames.dtype)[numbers.clamp(max=len(curve) - 1)]
            old = frames[:, point, 0]
            edited[:, point, 0] = (old + change).clamp(old.clamp(max=LOW), old.clamp(min=HIGH))
        self._frame += len(frames)
        return edited

    def get_state(self) -> int:
        """Return the number of frames so far."""
        return self._frame

    def set_state(self, state: int) -> None:
        """Continue with this frame."""
        self._frame = state
