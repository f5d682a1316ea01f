"""Blinks as people have them while they speak: mostly where a phrase ends, seldom within one.

People blink at pauses of their own speech (Nakano and Kitazawa, Experimental Brain Research 205, 2010).
"""

from __future__ import annotations

import os
import random
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from ..media.audio import Audio, Wave
from .blinks import BLINK_S, closure
from .control import Control, ControlContext, StreamingEdit, check_fields
from .gated_frames import GATE_MS, GatedFrames
from .lids import LidEdit, lid_edit
from .specs import BlinkAtPausesSpec
from .speech_gate import HOPS_PER_SECOND

NAME = "blink_at_pauses"
PAUSE_SHARE = 0.7
"""Share of a speaker's blinks that ends of phrases trigger; the others come at any time."""
FIRST_INTERVAL_S = 3.0
"""Assumed time between ends of phrases before the first was detected."""
MEMORY = 0.7
"""Share of the old value in the running mean of that time."""
REFRACTORY_S = 0.6
"""Least time between the beginnings of two blinks."""
IDLE_S = 0.8
"""Length of a silence after which a person blinks as at rest."""


@dataclass(frozen=True, eq=False)
class BlinkAtPauses(Control):
    """Blinks that depend on the speech: most begin when a phrase has just ended.

    Each end of a phrase gives a blink with a probability, and the rest of the rate is spread over all times. In long
    silence all blinks come at random.
    """

    rate: float
    """Blinks per minute on average, 0 to 60; people at rest blink about 12 to 20 times."""
    seed: int = 0
    """Seed of the randomness."""
    audio: Audio | str | os.PathLike[str] | tuple[Any, int] | None = None
    """The speech; None: the audio of the pipeline."""

    def __post_init__(self) -> None:
        check_fields(self, BlinkAtPausesSpec)

    def start(self, context: ControlContext) -> StreamingEdit:
        """Begin with a new motion.

        Raises:
            MotionError: a representation without lids.
            AudioError: audio that cannot be read; while editing, no audio at all.
        """
        audio = None if self.audio is None else Audio.coerce(self.audio)
        return _PauseEdit(lid_edit(context, NAME), GatedFrames(context, audio, NAME), self.rate, self.seed)

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the 170 ms that detection of pauses needs, or the look-ahead of the frames if that is longer."""
        return max(frames_ms, GATE_MS)


@dataclass
class BlinkClock:
    """Decides in steps of 10 ms when blinks begin: after a random amount of hazard, of which ends of phrases have much.

    Hazard is shifted from within phrases to their ends, so that the mean rate stays the same.
    """

    rate: float
    """Blinks per minute."""
    seed: int
    """Of the amounts of hazard."""
    hop: int = 0
    """Steps so far."""
    blinks: int = 0
    """Blinks so far, including the one that is under way."""
    begin: float = -1.0
    """Time (s) at which the last blink began."""
    hazard: float = 0.0
    """Hazard since the last blink."""
    voiced: bool = False
    """Whether there was speech in the last step."""
    silent_s: float = IDLE_S
    """Length of the silence so far."""
    last_end: float = 0.0
    """Time (s) of the last end of a phrase."""
    interval: float = FIRST_INTERVAL_S
    """Running mean of the times between ends of phrases."""

    def advance(self, is_voiced: bool) -> None:
        """Advance by a step with speech or without."""
        time, per_second = self.hop / HOPS_PER_SECOND, self.rate / 60
        self.silent_s = 0.0 if is_voiced else self.silent_s + 1 / HOPS_PER_SECOND
        share = 1.0 if self.silent_s >= IDLE_S else 1 - PAUSE_SHARE
        added = share * per_second / HOPS_PER_SECOND
        if self.voiced and not is_voiced:
            self.interval = MEMORY * self.interval + (1 - MEMORY) * (time - self.last_end)
            self.last_end = time
            added += PAUSE_SHARE * per_second * self.interval
        if self.blinks == 0 or time >= self.begin + REFRACTORY_S:
            self.hazard += added
        if self.rate and self.hazard >= self._threshold():
            self.begin, self.blinks, self.hazard = time, self.blinks + 1, 0.0
        self.voiced, self.hop = is_voiced, self.hop + 1

    def _threshold(self) -> float:
        """Return the amount of hazard that the next blink needs; of mean 1 with the time that is without hazard."""
        refractory_share = min(0.5, REFRACTORY_S * self.rate / 60)
        return (1 - refractory_share) * random.Random(f"{self.seed} {self.blinks}").expovariate(1)


class _PauseEdit:
    def __init__(self, close: LidEdit, frames: GatedFrames, rate: float, seed: int) -> None:
        self._close, self._frames, self._clock = close, frames, BlinkClock(rate, seed)

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        ready, times = self._frames.push(frames, speech, last)
        amounts = [self._closure_at(time) for time in times]
        return self._close(ready, torch.tensor(amounts)) if any(amounts) else ready

    def get_state(self) -> dict[str, Any]:
        """Return the position in the speech, the frames that wait for it, and the clock."""
        return {"frames": self._frames.get_state(), "clock": asdict(self._clock)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue at a position."""
        self._frames.set_state(state["frames"])
        self._clock = BlinkClock(**state["clock"])

    def _closure_at(self, time: Fraction) -> float:
        # In steps of the gate rather than of frames, so that the frame rate has no influence.
        while Fraction(self._clock.hop, HOPS_PER_SECOND) <= time:
            gate = self._frames.gate.at(Fraction(self._clock.hop, HOPS_PER_SECOND))
            self._clock.advance(is_voiced=gate >= 1)
        elapsed = float(time) - self._clock.begin
        return closure(elapsed) if self._clock.blinks and elapsed < BLINK_S else 0.0
