"""Samples from a microphone as they are spoken."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import AudioError
from ..core.lazy import import_optional

_log = logging.getLogger("headmotion")


def microphone(
    device: str | int | None = None, rate: int = 16_000, block_ms: float = 20
) -> Iterator[NDArray[np.float32]]:
    """Yield blocks ``[s]`` of a microphone in -1..1 until the iterator is closed.

    Blocks wait in a queue while the caller is busy; a warning says if the system lost samples.

    Args:
        device: number or part of the name of an input of sounddevice; None is the system's own.
        rate: samples per second.
        block_ms: length of a block.

    Raises:
        AudioError: sounddevice or PortAudio is missing, or there is no such microphone.
    """
    try:
        sounddevice = import_optional("sounddevice", "headmotion[live]", "microphone", AudioError)
    except AudioError as error:
        if "PortAudio" in error.got:
            remedy = "on Linux: apt-get install libportaudio2"
            raise AudioError("microphone", "the library PortAudio", "none installed", remedy) from None
        raise
    blocks: SimpleQueue[NDArray[np.float32]] = SimpleQueue()

    def collect(samples: NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        if status.input_overflow:
            _log.warning("microphone: samples were lost, because the system was too busy")
        blocks.put(samples[:, 0].copy())

    size = max(1, round(rate * block_ms / 1000))
    try:
        stream = sounddevice.InputStream(
            samplerate=rate, blocksize=size, device=device, channels=1, dtype="float32", callback=collect
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise AudioError("microphone", "an input for sound", str(error).splitlines()[0]) from None
    with stream:
        while True:
            yield blocks.get()
