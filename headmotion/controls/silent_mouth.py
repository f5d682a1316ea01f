"""A mouth that closes in silence."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..geometry.smoothstep import smoothstep
from ..media.audio import Audio, Wave
from .control import Control, ControlContext, StreamingEdit
from .gated_frames import GATE_MS, GatedFrames
from .mouth import MouthModel

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
        return max(frames_ms, GATE_MS)


class _CloseSilenceEdit:
    def __init__(self, context: ControlContext, audio: Audio | None) -> None:
        self._mouth = MouthModel(context, "close_silence")
        self._frames = GatedFrames(context, audio, "close_silence")

    def __call__(self, frames: Tensor, speech: Wave, last: bool) -> Tensor:
        ready, times = self._frames.push(frames, speech, last)
        return self._close(ready, torch.tensor([self._frames.gate.at(time) for time in times], dtype=torch.float64))

    def get_state(self) -> dict[str, Any]:
        """Return the position in the speech and the frames that wait for it."""
        return self._frames.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue at a position."""
        self._frames.set_state(state)

    def _close(self, frames: Tensor, gate: Tensor) -> Tensor:
        """Return frames ``[t, P, D]`` whose mouths are closed as far as the gate ``[t]`` is below 1."""
        if not bool((gate < 1).any()):
            return frames
        head = self._mouth.head
        exact = frames.double()
        expression = head.expression(exact, head.fit(exact))
        excess = (self._mouth.opening(expression) - self._mouth.resting_opening) / (TRANSITION * head.size)
        return self._mouth.scale(exact, 1 - (1 - gate) * smoothstep(excess)).to(frames.dtype)
