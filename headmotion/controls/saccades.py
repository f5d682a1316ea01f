"""Eyes that look away and back during speech, in representations that have irises or shapes of gaze.

Sizes and durations are those that Lee, Badler and Badler measured of a person who talks ("Eyes Alive", SIGGRAPH 2002).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from ..core.errors import MotionError
from ..geometry.smoothstep import smoothstep
from ..media.audio import Wave
from .control import Control, ControlContext, StreamingEdit, check_fields
from .head_pose import HeadModel
from .specs import SaccadeSpec

NAME = "saccade"
TOWARDS_S, AWAY_S, MIN_FIXATION_S = 3.13, 0.93, 0.25
"""Mean time that eyes rest on the listener and elsewhere, and the least time that they rest (s)."""
DIRECTIONS = (15.54, 6.46, 17.69, 7.44, 16.80, 7.89, 20.38, 7.79)
"""Relative frequency of directions, every 45 degrees from the right; up comes third."""
SCALE_DEG, MAX_DEG = 6.9, 20.0
"""Mean size of a saccade, whose distribution is exponential; the source cuts it at 27.5, where heads would turn."""
ONSET_S, S_PER_DEG = 0.025, 0.0024
"""Duration of a saccade: a constant and what each degree adds."""
EYEBALL = 0.134
"""Radius of the eyeball in distances of the outer eye corners: 12 of 90 mm."""
FULL_GAZE_DEG = 30.0
"""Turn of the eye that a shape of gaze stands for at 1."""


class Gaze(NamedTuple):
    """Where the eyes look from a time (s) on, in degrees: to the person's left and down."""

    begin: float
    left: float
    down: float


@dataclass(frozen=True)
class Saccade(Control):
    """Irises that jump away and back, as those of a person who speaks; the reference looks at the listener."""

    amount: float = 1.0
    """Factor of the size of saccades, 0 to 3; 0 changes nothing."""
    seed: int = 0
    """Seed of times and directions, which depend on nothing else."""

    def __post_init__(self) -> None:
        check_fields(self, SaccadeSpec)

    def start(self, context: ControlContext) -> StreamingEdit:
        """Begin with a new motion.

        Raises:
            MotionError: a representation without irises and shapes of gaze.
        """
        return _SaccadeEdit(self, context, _gaze_edit(context))

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the look-ahead of the frames; the control adds nothing."""
        return frames_ms


def fixations(seed: int) -> Iterator[Gaze]:
    """Yield where the eyes look, without end: first at the listener, then elsewhere and back by turns."""
    rng, time = random.Random(seed), 0.0
    while True:
        yield Gaze(time, 0.0, 0.0)
        time += _duration(rng, TOWARDS_S)
        size = min(rng.expovariate(1 / SCALE_DEG), MAX_DEG)
        angle = math.radians(45 * rng.choices(range(len(DIRECTIONS)), DIRECTIONS)[0])
        yield Gaze(time, size * math.cos(angle), -size * math.sin(angle))
        time += _duration(rng, AWAY_S)


def _duration(rng: random.Random, mean: float) -> float:
    return MIN_FIXATION_S + rng.expovariate(1 / (mean - MIN_FIXATION_S))


class _SaccadeEdit:
    def __init__(self, saccade: Saccade, context: ControlContext, edit: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._amount, self._edit, self._fps, self._frame = saccade.amount, edit, context.fps, 0
        self._pairs = pairwise(fixations(saccade.seed))
        first = Gaze(0.0, 0.0, 0.0)
        self._before, (self._current, self._next) = first, next(self._pairs)

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        if not self._amount or not len(frames):
            return frames
        # By exact time stamps, so that the division into pieces and the frame rate have no influence.
        gaze = [self._gaze_at(float((self._frame + k) / self._fps)) for k in range(len(frames))]
        self._frame += len(frames)
        return self._edit(frames, self._amount * torch.tensor(gaze, dtype=torch.float64)).to(frames.dtype)

    def get_state(self) -> int:
        """Return the number of frames so far, from which the gaze follows."""
        return self._frame

    def set_state(self, state: int) -> None:
        """Continue with this frame."""
        self._frame = state

    def _gaze_at(self, time: float) -> tuple[float, float]:
        """Return the turn of the eyes (degrees) to the left and down, at a time (s) not before the last call's."""
        while time >= self._next.begin:
            self._before, (self._current, self._next) = self._current, next(self._pairs)
        across, down = self._current.left - self._before.left, self._current.down - self._before.down
        spent = (time - self._current.begin) / (ONSET_S + S_PER_DEG * math.hypot(across, down))
        share = smoothstep(min(spent, 1.0))
        return self._before.left + share * across, self._before.down + share * down


def _gaze_edit(context: ControlContext) -> Callable[[Tensor, Tensor], Tensor]:
    """Return what turns the eyes of frames ``[t, P, D]`` by degrees ``[t, 2]``.

    Raises:
        MotionError: a representation without irises and shapes of gaze.
    """
    representation = context.representation
    if representation.groups.get("left_iris") and representation.groups.get("right_iris"):
        return _iris_edit(context)
    if representation.dims == 1 and {"eyeLookOutLeft", "eyeLookInRight"} <= set(representation.point_names):
        return _shape_edit(representation.point_names)
    expected = "a representation with the groups 'left_iris' and 'right_iris', or with shapes of gaze (eyeLookOutLeft)"
    raise MotionError(NAME, expected, f"{representation.name} with {', '.join(representation.groups) or 'none'}")


def _iris_edit(context: ControlContext) -> Callable[[Tensor, Tensor], Tensor]:
    head = HeadModel(context, NAME)
    irises = list(context.points(NAME, "left_iris", "right_iris"))
    left = torch.zeros_like(head.down)
    left[0], left[1] = head.down[1], -head.down[0]  # the person's left is on the right of the picture
    radius = EYEBALL * head.size

    def edit(frames: Tensor, degrees: Tensor) -> Tensor:
        values = frames.double()
        shift = radius * torch.sin(torch.deg2rad(degrees))
        change = torch.zeros_like(values)
        change[:, irises] = (shift[:, :1] * left + shift[:, 1:] * head.down).unsqueeze(1)
        return head.add_expression(values, head.fit(values), change)

    return edit


def _shape_edit(names: tuple[str, ...]) -> Callable[[Tensor, Tensor], Tensor]:
    turns = {"eyeLookOutLeft": (0, 1), "eyeLookInRight": (0, 1), "eyeLookInLeft": (0, -1), "eyeLookOutRight": (0, -1)}
    turns |= {
        f"eyeLook{word}{side}": (1, sign) for word, sign in (("Down", 1), ("Up", -1)) for side in ("Left", "Right")
    }

    def edit(frames: Tensor, degrees: Tensor) -> Tensor:
        edited = frames.clone()
        for name, (axis, sign) in turns.items():
            if name in names:
                old = frames[:, names.index(name), 0]
                change = (sign * degrees[:, axis] / FULL_GAZE_DEG).clamp(min=0).to(old)
                # Weights that are beyond 0..1 stay where they are.
                edited[:, names.index(name), 0] = (old + change).clamp(max=1.0).maximum(old)
        return edited

    return edit
