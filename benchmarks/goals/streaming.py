"""Goals of streaming: how late frames are, how far the model looks ahead, and memory over time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

import headmotion as hm
from headmotion.core.motion import Motion

from .measuring import Figure, growth_per_hour, resident_mb, threads

RATE = 16_000
MINUTES = 10
"""Of audio in the measurements of memory: an hour of it would take minutes and tell the same slope."""
LEFT_OUT = 3
"""First minutes, in which caches fill."""


def push_latency() -> Figure:
    """Milliseconds from a pushed chunk of 40 ms to the frame that it determines."""
    session, chunk = hm.load("ms-sync", device="cpu").stream(sample_rate=RATE), np.zeros(RATE // 25, np.float32)
    took = []
    with threads(1):
        for number in range(25 * 40):
            began = time.perf_counter()
            frames = session.push(chunk)
            if number >= 50 and len(frames):
                took.append(1000 * (time.perf_counter() - began))
    median, late = np.percentile(took, [50, 99])
    return Figure(float(median), "ms", f"99th percentile {late:.1f} ms, {len(took)} chunks")


def look_ahead() -> Figure:
    """Milliseconds of audio beyond a frame's time stamp that the bundled model waits for."""
    pipe = hm.load("ms-sync", device="cpu")
    ahead, at_48 = pipe.lookahead_ms(RATE), pipe.lookahead_ms(48_000)
    assert ahead is not None and at_48 is not None
    return Figure(ahead, "ms", f"at 16 kHz; {at_48:.0f} ms at 48 kHz")


def memory_streaming() -> Figure:
    """Growth of a session's memory by a straight line, over minutes."""
    session, chunk = hm.load("ms-sync", device="cpu").stream(sample_rate=RATE), np.zeros(RATE // 5, np.float32)
    resident = []
    with threads(1):
        for number in range(300 * MINUTES + 1):
            session.push(chunk)
            if number % 50 == 0 and number >= 300 * LEFT_OUT:
                resident.append(resident_mb())
    return _growth(resident)


def memory_file_to_file() -> Figure:
    """The same from a FLAC file to a video, drawn by the `skeleton` renderer.

    The video is a small `.webm`: an `.mp4` ends with an index of all its packets, which waits in memory.
    """
    pipe = hm.load("ms-sync", device="cpu")
    with TemporaryDirectory() as folder, threads(1):
        speech = Path(folder) / "speech.flac"
        with soundfile.SoundFile(speech, "w", RATE, 1) as stream:
            for second in range(60 * MINUTES):
                stream.write(np.random.default_rng(second).normal(0, 0.05, RATE))
        resident: list[float] = []
        watched = _watched(pipe.iter_motion(speech), resident)
        renderer = {"type": "skeleton", "size": 128}
        pipe.render(watched, Path(folder) / "talk.webm", audio=speech, renderer=renderer, quiet=True)
    return _growth(resident[6 * LEFT_OUT :])


def _watched(pieces: Iterator[Motion], resident: list[float]) -> Iterator[Motion]:
    """The same pieces; memory after each ten seconds of them."""
    frames = 0
    for piece in pieces:
        yield piece
        if (frames + len(piece)) // 250 > frames // 250:
            resident.append(resident_mb())
        frames += len(piece)


def _growth(resident: list[float]) -> Figure:
    note = f"slope over minutes {LEFT_OUT} to {MINUTES} of audio; {min(resident):.0f} to {max(resident):.0f} MB"
    return Figure(growth_per_hour(resident, MINUTES - LEFT_OUT), "MB/h", note)
