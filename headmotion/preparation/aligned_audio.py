"""The audio of a video on the time axis of its frames, read along with them in constant memory."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from ..data.clip import SAMPLE_RATE
from ..media.audio import Audio, Wave
from .settings import SAMPLES_PER_FRAME


class AlignedAudio:
    """Mono audio at 16 kHz, of which sample ``640 * k`` belongs to frame ``k``.

    Args:
        path: the video.
        start: seconds from the container's start to frame 0. An audio track that starts earlier is cut to begin
            there, and one that starts later is preceded by silence.

    Raises:
        AudioError: the audio cannot be read.
    """

    def __init__(self, path: Path, start: Fraction) -> None:
        self._blocks = Audio.load(path).blocks(SAMPLE_RATE)
        self._first_sample = -(start * SAMPLE_RATE + Fraction(1, 2)).__floor__()  # where the buffer begins
        self._buffer = np.zeros(0, np.float32)
        # The track starts late: silence fills the time before it.
        if self._first_sample > 0:
            self._first_sample, self._buffer = 0, np.zeros(self._first_sample, np.float32)

    def read(self, frame: int, count: int) -> Wave:
        """Read the samples ``[640 * count]`` of ``count`` frames, -1..1; beyond the end of the track they are zeros.

        Raises:
            AudioError: the track is damaged there.
        """
        start, stop = SAMPLES_PER_FRAME * frame, SAMPLES_PER_FRAME * (frame + count)
        self._fill(stop)
        wave = np.zeros(stop - start, np.float32)
        samples = self._buffer[start - self._first_sample :][: len(wave)]
        wave[: len(samples)] = samples
        return wave

    def discard_before(self, frame: int) -> None:
        """Free the samples before a frame, which will not be read again."""
        start = SAMPLES_PER_FRAME * frame
        while (end := self._first_sample + len(self._buffer)) < start:
            block = next(self._blocks, None)
            if block is None:
                break
            self._first_sample, self._buffer = end, block
        passed = min(max(0, start - self._first_sample), len(self._buffer))
        self._first_sample, self._buffer = self._first_sample + passed, self._buffer[passed:]

    def _fill(self, stop: int) -> None:
        """Read blocks until the buffer reaches the sample ``stop``, or the track ends."""
        blocks = [self._buffer]
        end = self._first_sample + len(self._buffer)
        while end < stop and (block := next(self._blocks, None)) is not None:
            blocks.append(block)
            end += len(block)
        if len(blocks) > 1:
            self._buffer = np.concatenate(blocks)
