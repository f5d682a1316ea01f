"""The sound of a video on the time axis of its frames, read along with them in constant memory."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from ..data.clip import SAMPLE_RATE
from ..media.audio import Audio, Wave
from .settings import SAMPLES_PER_FRAME


class Speech:
    """The wave at 16 kHz, mono, of which sample ``640 * k`` belongs to frame ``k``.

    Args:
        path: the video.
        start: seconds from the container's start to frame 0; by it a sound track that starts early or late is moved.

    Raises:
        AudioError: the sound cannot be read.
    """

    def __init__(self, path: Path, start: Fraction) -> None:
        self._blocks = Audio.load(path).blocks(SAMPLE_RATE)
        self._first = -(start * SAMPLE_RATE + Fraction(1, 2)).__floor__()  # where the held samples begin
        self._held = np.zeros(0, np.float32)
        if self._first > 0:  # before the track there is silence
            self._first, self._held = 0, np.zeros(self._first, np.float32)

    def under(self, frame: int, count: int) -> Wave:
        """The samples ``[640 * count]`` under so many frames, zeros where the track has ended.

        Raises:
            AudioError: the track is damaged there.
        """
        start, stop = SAMPLES_PER_FRAME * frame, SAMPLES_PER_FRAME * (frame + count)
        self._read(stop)
        wave = np.zeros(stop - start, np.float32)
        held = self._held[start - self._first :][: len(wave)]
        wave[: len(held)] = held
        return wave

    def forget(self, frame: int) -> None:
        """Drop what lies before a frame; it will not be asked for again."""
        start = SAMPLES_PER_FRAME * frame
        while (end := self._first + len(self._held)) < start and (block := next(self._blocks, None)) is not None:
            self._first, self._held = end, block
        gone = min(max(0, start - self._first), len(self._held))
        self._first, self._held = self._first + gone, self._held[gone:]

    def _read(self, stop: int) -> None:
        parts = [self._held]
        end = self._first + len(self._held)
        while end < stop and (block := next(self._blocks, None)) is not None:
            parts.append(block)
            end += len(block)
        if len(parts) > 1:
            self._held = np.concatenate(parts)
