"""Features of the speech for a renderer that draws from audio: a block for each part of a motion."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..core.errors import HeadmotionError
from ..core.motion import Motion
from ..media.audio import Audio
from .batched_calls import run_alone
from .feature_stream import FeatureStream

if TYPE_CHECKING:
    from .pipeline import Pipeline

SILENCE_S = 1
"""Silence (seconds) that is encoded after the speech; frames beyond it have the features of its last step."""


class AlignedFeatures:
    """Feature blocks ``[1, steps_per_frame * t, C]``, one for each part of a motion with ``t`` frames.

    Frame ``k`` at ``k / fps`` seconds gets the ``steps_per_frame`` steps that begin nearest to this time. At the
    pipeline's own rate these are the steps that the generator made the frame from. Memory does not grow.

    Args:
        pipeline: gives the encoder.
        speech: audio of the motion.
        parts: consecutive parts of the motion.
    """

    def __init__(self, pipeline: Pipeline, speech: Audio, parts: Iterable[Motion]) -> None:
        self._parts, self._unanswered = iter(parts), deque[Motion]()
        self._last_part_read = False
        self._steps, self._fps = pipeline.spec.steps_per_frame, pipeline.spec.fps
        second = max(1, round(self._fps))
        self._stream = FeatureStream(pipeline.audio_encoder, speech.rate, self._steps, pipeline.device, second)
        self._blocks, self._ended = speech.blocks(speech.rate), False
        self._features = self._stream.empty()
        # Number of the first step of `_features`, and of the next frame.
        self._first_step = self._next_frame = 0

    def parts(self) -> Iterator[Motion]:
        """Yield the parts of the motion, which say how long the blocks are; read this and the blocks in turn."""
        for part in self._parts:
            self._unanswered.append(part)
            yield part
        self._last_part_read = True

    def __iter__(self) -> Iterator[Tensor]:
        """Yield the block of each part that was read.

        Raises:
            HeadmotionError: the next part was not read before its block.
        """
        while self._unanswered or not self._last_part_read:
            if not self._unanswered:
                expected = "to read a part of the motion before its block of features"
                raise HeadmotionError("renderer", expected, "a block first", "zip(motion, audio) does")
            yield self._take(self._unanswered.popleft())

    def _take(self, part: Motion) -> Tensor:
        frames = range(self._next_frame, self._next_frame + len(part))
        self._next_frame = frames.stop
        if not frames:
            return self._features[:, :0]
        starts = torch.tensor([round(frame * self._steps * self._fps / part.fps) for frame in frames])
        self._drop_before(int(starts[0]))
        self._read_until(int(starts[-1]) + self._steps)
        steps = (starts[:, None] + torch.arange(self._steps)).flatten() - self._first_step
        return self._features[:, steps.clamp(max=self._features.shape[1] - 1).to(self._features.device)]

    def _drop_before(self, step: int) -> None:
        # One step remains, to be held where the features end.
        count = max(0, min(step - self._first_step, self._features.shape[1] - 1))
        self._features, self._first_step = self._features[:, count:], self._first_step + count

    @torch.inference_mode()
    def _read_until(self, step: int) -> None:
        while self._first_step + self._features.shape[1] < step:
            block = run_alone(self._stream.take())
            if block is not None:
                self._features = torch.cat([self._features, block], dim=1)
            elif self._ended:
                return
            else:
                self._push_next_wave()

    def _push_next_wave(self) -> None:
        wave = next(self._blocks, None)
        if wave is None:
            self._stream.finish(SILENCE_S * max(1, round(self._fps)))
            self._ended = True
        else:
            self._stream.push(wave)
