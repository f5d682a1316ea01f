"""The mouth closed where nobody speaks."""

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
from .control import Control, Setting, Step
from .mouth import Mouth
from .speech_gate import HOPS_PER_SECOND, LEAD, SpeechGate

CLOSED = 0.02
"""Openings this little wider than the reference's (distances of the scale pair) count as partly closed already."""


@dataclass(frozen=True, eq=False)
class CloseSilence(Control):
    """Lips and jaw brought to rest where the audio is silent. A mouth is never opened, nor closed beyond the reference.

    Silence is told by loudness: a threshold that follows the noise and the loudest speech so far, with hysteresis; the
    mouth opens just before the voice and closes within 0.2 s. See `SpeechGate`.
    """

    audio: Audio | str | os.PathLike[str] | tuple[Any, int] | None = None
    """The speech; None: what the pipeline hears."""

    def start(self, setting: Setting) -> Step:
        """Begin with a new motion.

        Raises:
            AudioError: audio that cannot be read; while stepping, none at all.
        """
        return _Closing(setting, None if self.audio is None else Audio.coerce(self.audio))

    def lookahead_ms(self, frames_ms: float = 0.0) -> float:
        """The 170 ms that the gate wants to hear, which are heard already if the generator itself waits longer."""
        return max(frames_ms, 1000 * (LEAD + 2) / HOPS_PER_SECOND)


class _Closing:
    def __init__(self, setting: Setting, audio: Audio | None) -> None:
        self._mouth = Mouth(setting, "close_silence")
        self._gate = SpeechGate(setting.sample_rate)
        self._own: Iterator[Wave] | None = None if audio is None else audio.blocks(setting.sample_rate)
        self._fps, self._first, self._deaf = setting.fps, 0, True
        self._held = setting.rest.new_zeros(0, *setting.rest.shape)

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        self._held = torch.cat([self._held, frames])
        self._listen(speech, last)
        times = [Fraction(self._first + k) / self._fps for k in range(len(self._held))]
        gate = [self._gate.at(time) for time in times if time <= self._gate.known]
        ready, self._held = self._held[: len(gate)], self._held[len(gate) :]
        self._first += len(gate)
        return self._closed(ready, torch.tensor(gate, dtype=torch.float64))

    def _listen(self, speech: Wave, last: bool) -> None:
        if self._own is None:
            self._deaf &= not len(speech)
            if last and self._deaf:
                raise AudioError(
                    "close_silence", "the audio of the motion", "none", "write close_silence(motion, audio)"
                )
            self._gate.push(speech)
            ended = last
        else:
            needed, ended = self._last_time(), False
            while not ended and self._gate.known < needed:
                block = next(self._own, None)
                ended = block is None
                self._gate.push(speech[:0] if block is None else block)
        if ended:
            self._gate.pad(self._last_time())

    def _last_time(self) -> Fraction:
        return Fraction(self._first + len(self._held) - 1) / self._fps

    def _closed(self, frames: Tensor, gate: Tensor) -> Tensor:
        if not bool((gate < 1).any()):
            return frames
        head = self._mouth.head
        exact = frames.double()
        expression = head.expression(exact, head.find(exact))
        beyond = (self._mouth.opening(expression) - self._mouth.at_rest) / (CLOSED * head.size)
        gain = 1 - (1 - gate) * smoothstep(beyond)
        return self._mouth.scale(exact, gain).to(frames.dtype)
