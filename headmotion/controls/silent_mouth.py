"""A mouth that closes where nobody speaks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from ..core.errors import AudioError
from ..geometry.smoothstep import smoothstep
from ..media.audio import Audio, Wave
from .control import Control, ControlContext, StreamingEdit
from .mouth import MouthModel
from .speech_gate import HOPS_PER_SECOND, LEAD_HOPS, SpeechGate

TRANSITION = 0.02
"""Excess of the opening over the reference's (in distances of the scale pair) within which closing fades out, so that a
mouth that is as closed as the reference stays as it is."""


@dataclass(frozen=True, eq=False)
class CloseSilence(Control):
    """Lips and jaw at rest where the audio is silent. A mouth is never opened, nor closed beyond the reference.

    Silence is detected by loudness: a threshold that follows the noise and the loudest speech so far, with hysteresis.
    The mouth opens just before the voice and closes within 0.2 s. See `SpeechGate`.
    """

    audio: Audio | str | os.PathLike[str] | tuple[Any, int] | None = None
    """The speech; None: the audio of the pipeline."""

    def start(self, context: ControlContext) -> StreamingEdit:
        """Begin with a new motion.

        Raises:
            AudioError: audio that cannot be read; while editing, no audio at all.
        """
        return _CloseSilenceEdit(context, None if self.audio is None else Audio.coerce(self.audio))

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """Return the 170 ms that the gate needs, or the look-ahead of the frames if that is longer."""
        return max(frames_ms, 1000 * (LEAD_HOPS + 2) / HOPS_PER_SECOND)


class _CloseSilenceEdit:
    def __init__(self, context: ControlContext, audio: Audio | None) -> None:
        self._mouth = MouthModel(context, "close_silence")
        self._gate = SpeechGate(context.sample_rate)
        self._own_audio: Iterator[Wave] | None = None if audio is None else audio.blocks(context.sample_rate)
        self._own_blocks = 0
        self._fps, self._first, self._any_speech = context.fps, 0, False
        self._pending = context.resting_pose.new_zeros(0, *context.resting_pose.shape)

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        self._pending = torch.cat([self._pending, frames])
        self._update_gate(speech, last)
        # Exact fractions: a rounded time stamp could make a frame wait for one more piece.
        times = [Fraction(self._first + k) / self._fps for k in range(len(self._pending))]
        gate = [self._gate.at(time) for time in times if time <= self._gate.until]
        ready, self._pending = self._pending[: len(gate)], self._pending[len(gate) :]
        self._first += len(gate)
        return self._close(ready, torch.tensor(gate, dtype=torch.float64))

    def get_state(self) -> dict[str, Any]:
        """Return the position in the speech and the frames that wait for it."""
        position = {"first": self._first, "any_speech": self._any_speech, "own_blocks": self._own_blocks}
        return position | {"pending": self._pending, "gate": self._gate.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue at a position; the control's own audio is read again up to there."""
        self._first, self._any_speech, self._pending = state["first"], state["any_speech"], state["pending"]
        self._gate.set_state(state["gate"])
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
                remedy = "write close_silence(motion, audio)"
                raise AudioError("close_silence", "the audio of the motion", "none", remedy)
            self._gate.push(speech)
            ended = last
        else:
            # The control's own audio is read only as far as the frames need it.
            needed, ended = self._last_time(), False
            while not ended and self._gate.until < needed:
                block = self._next_own_block()
                ended = block is None
                self._gate.push(speech[:0] if block is None else block)
        # After the end of the audio comes silence, for which the remaining frames need not wait.
        if ended:
            self._gate.pad(self._last_time())

    def _last_time(self) -> Fraction:
        return Fraction(self._first + len(self._pending) - 1) / self._fps

    def _close(self, frames: Tensor, gate: Tensor) -> Tensor:
        """Return frames ``[t, P, D]`` whose mouths are closed as far as the gate ``[t]`` is below 1."""
        if not bool((gate < 1).any()):
            return frames
        head = self._mouth.head
        exact = frames.double()
        expression = head.expression(exact, head.fit(exact))
        excess = (self._mouth.opening(expression) - self._mouth.resting_opening) / (TRANSITION * head.size)
        return self._mouth.scale(exact, 1 - (1 - gate) * smoothstep(excess)).to(frames.dtype)
