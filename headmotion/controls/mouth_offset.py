"""The opening of the mouth, raised or lowered by a number or by a curve over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..media.audio import Wave
from ..representations.blendshape_landmarks import JAW_OPENING
from .control import Control, ControlContext, StreamingEdit
from .mouth import MouthModel
from .weight_offset import OffsetWeights, change_curve

NAME = "offset_mouth"
JAW = "jawOpen"


@dataclass(frozen=True)
class OffsetMouth(Control):
    """A mouth that is open further, or less far, by a curve: a correction of single sounds.

    Where the change is a curve, frame ``k`` of the motion takes its ``k``-th number; the last one holds on. A mouth is
    closed at most until its lips meet. Weights with the name ``jawOpen`` are changed by it.
    """

    change: float | Sequence[float]
    """What is added to the opening, in distances of the scale pair (outer eye corners); a number, or one per frame."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "change", change_curve(NAME, "change", self.change))

    def start(self, context: ControlContext) -> StreamingEdit:
        """Begin with a new motion.

        Raises:
            MotionError: the representation lacks a mouth.
        """
        curve = change_curve(NAME, "change", self.change)
        representation = context.representation
        if representation.dims == 1 and JAW in representation.point_names:
            return OffsetWeights({JAW: [value / JAW_OPENING for value in curve]}).start(context)
        return _OffsetMouthEdit(MouthModel(context, NAME), curve)

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the look-ahead of the frames; the control adds nothing."""
        return frames_ms


class _OffsetMouthEdit:
    def __init__(self, mouth: MouthModel, curve: Sequence[float]) -> None:
        self._mouth, self._curve, self._frame = mouth, torch.tensor(curve, dtype=torch.float64), 0

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        numbers = torch.arange(self._frame, self._frame + len(frames)).clamp(max=len(self._curve) - 1)
        self._frame += len(frames)
        change = self._curve[numbers]
        if not bool(change.any()):
            return frames
        # Frames that nothing is added to stay the same to the last bit.
        opened = self._mouth.open(frames.double(), change * self._mouth.head.size).to(frames.dtype)
        return torch.where((change != 0)[:, None, None], opened, frames)

    def get_state(self) -> int:
        """Return the number of frames so far."""
        return self._frame

    def set_state(self, state: int) -> None:
        """Continue with this frame."""
        self._frame = state
