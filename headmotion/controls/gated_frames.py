"""Frames together with the speech around them: held back until `SpeechGate` is determined at their time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from ..core.errors import AudioError
from ..media.audio import Audio, Wave
from .control import ControlContext
from .speech_gate import HOPS_PER_SECOND, LEAD_HOPS, SpeechGate

GATE_MS = 1000 * (LEAD_HOPS + 2) / HOPS_PER_SECOND
"""Speech beyond a frame that the gate needs: 170 ms."""


class GatedFrames:
    """A queue of frames, and the gate of the speech that comes with them or of audio of the control's own.

    Args:
        context: gives the rates.
        audio: the speech; None: what is pushed with the frames.
        control: name of the control, for errors.
    """

    def __init__(self, context: ControlContext, audio: Audio | None, control: str) -> None:
        self.gate = SpeechGate(context.sample_rate)
        self._own_audio: Iterator[Wave] | None = None if audio is None else audio.blocks(context.sample_rate)
        self._own_blocks = 0
        self._fps, self._control = context.fps, control
        self._first, self._any_speech = 0, False
        self._pending = context.resting_pose.new_zeros(0, *context.resting_pose.shape)

    def push(self, frames: Tensor, speech: Wave, last: bool) -> tuple[Tensor, list[Fraction]]:
        """Take the next frames; return those at which the gate is determined now, and their times (s).

        Raises:
            AudioError: no speech at all, neither with the frames nor of the control's own.
        """
        self._pending = torch.cat([self._pending, frames])
        self._update_gate(speech, last)
        # Exact fractions: a rounded time stamp could make a frame wait for one more piece.
        times = [Fraction(self._first + k) / self._fps for k in range(len(self._pending))]
        times = [time for time in times if time <= self.gate.until]
        ready, self._pending = self._pending[: len(times)], self._pending[len(times) :]
        self._first += len(times)
        return ready, times

    def get_state(self) -> dict[str, Any]:
        """Return the position in the speech and the frames that wait for it."""
        position = {"first": self._first, "any_speech": self._any_speech, "own_blocks": self._own_blocks}
        return position | {"pending": self._pending, "gate": self.gate.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue at a position; the control's own audio is read again up to there."""
        self._first, self._any_speech, self._pending = state["first"], state["any_speech"], state["pending"]
        self.gate.set_state(state["gate"])
        for _ in range(state["own_blocks"] if self._own_audio is not None else 0):
            self._next_own_block()

    def _next_own_block(self) -> Wave | None:
        assert self._own_audio is not None
        self._own_blocks += 1
        return next(self._own_audio, None)

    def _update_gate(self, speech: Wave, last: bool) -> None:
        if self._own_audio is None:
            self._any_speech |= len(speech) > 0
            if last and not self._any_speech:
                remedy = f"call {self._control} with audio=audio"
                raise AudioError(self._control, "the audio of the motion", "none", remedy)
            self.gate.push(speech)
            ended = last
        else:
            # The control's own audio is read only as far as the frames need it.
            needed, ended = self._last_time(), False
            while not ended and self.gate.until < needed:
                block = self._next_own_block()
                ended = block is None
                self.gate.push(speech[:0] if block is None else block)
        # After the end of the audio comes silence, for which the remaining frames need not wait.
        if ended:
            self.gate.pad(self._last_time())

    def _last_time(self) -> Fraction:
        return Fraction(self._first + len(self._pending) - 1) / self._fps
