"""SampleQueue: samples of a session that wait to be processed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..media.downmix import Downmixer
from ..media.samples import Wave, as_floats

Chunk = tuple[NDArray[np.float32], NDArray[np.float32] | None]
"""Samples ``[s]`` or ``[s, C]`` in -1..1, and as many of the listener, if there is one."""


class SampleQueue:
    """Chunks as they were pushed, until the next block may be complete; then they are mixed to mono waves together.

    Nothing is computed for a chunk that completes nothing, so single samples may be pushed.

    Args:
        sample_rate: rate of the samples (Hz).
    """

    def __init__(self, sample_rate: int) -> None:
        self._mixer, self._listener_mixer = Downmixer(sample_rate), Downmixer(sample_rate, "listener audio")
        self._lock = threading.Lock()
        self._chunks: list[Chunk] = []
        self._count = 0
        self._waves: deque[tuple[Wave, Wave | None]] = deque()
        self.least = 0
        """Samples to wait for; fewer complete nothing."""

    def checked(self, samples: Any, listener: Any = None) -> Chunk:
        """Return a chunk of any type as floats.

        Raises:
            AudioError: samples of another shape, NaN, infinite or far beyond full scale.
        """
        listener_samples = None if listener is None else as_floats(listener, self._listener_mixer.name)
        return as_floats(samples, self._mixer.name), listener_samples

    def is_due(self, count: int = 0) -> bool:
        """Return whether something can be made of what waits and ``count`` more samples."""
        return bool(self._waves) or self._count + count >= max(1, self.least)

    def push(self, chunk: Chunk) -> None:
        """Add a chunk."""
        if len(chunk[0]):
            with self._lock:
                self._count += len(chunk[0])
                self._chunks.append(chunk)

    def push_mixed(self, wave: Wave, listener: Wave | None) -> None:
        """Add mono waves that a `Downmixer` returned."""
        self._mix()
        self._waves.append((wave, listener))

    def waves(self) -> deque[tuple[Wave, Wave | None]]:
        """Return all that waits as mono waves, those of the listener too; the caller removes what it processes."""
        self._mix()
        return self._waves

    def get_state(self) -> tuple[Any, Any]:
        """Return what waits, and the state of the mixers, for `set_state` of another queue."""
        self._mix()
        return list(self._waves), (self._mixer.get_state(), self._listener_mixer.get_state())

    def set_state(self, waves: Any, mixers: Any) -> None:
        """Continue where `get_state` was called."""
        self._waves.extend(waves)
        for mixer, state in zip((self._mixer, self._listener_mixer), mixers, strict=True):
            mixer.set_state(state)

    def _mix(self) -> None:
        with self._lock:
            chunks, self._chunks, self._count = self._chunks, [], 0
        self._waves.extend(self._mixed(chunks))

    def _mixed(self, chunks: list[Chunk]) -> Iterator[tuple[Wave, Wave | None]]:
        for _, group in groupby(chunks, key=_layout):
            waves, listeners = zip(*group, strict=True)
            listener = None if listeners[0] is None else self._listener_mixer.push(np.concatenate(listeners))
            yield self._mixer.push(np.concatenate(waves)), listener


def _layout(chunk: Chunk) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Return the channels of a chunk and of its listener; chunks that have the same can be joined."""
    wave, listener = chunk
    return wave.shape[1:], None if listener is None else listener.shape[1:]
