"""Goals of streaming: latency of frames, look-ahead of the model, and memory over time."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

import headmotion as hm
from headmotion.core.motion import Motion

from .timing import Measurement, growth_per_hour, resident_mb, threads

RATE = 16_000
MINUTES = 10
"""Audio in the measurements of memory; an hour of it would take minutes and give the same slope."""
WARM_UP_MINUTES = 3
"""First minutes, in which caches fill."""


def push_latency() -> Measurement:
    """Measure the milliseconds from a pushed chunk of 40 ms to the frame that it determines."""
    session, chunk = hm.load("ms-sync", device="cpu").stream(sample_rate=RATE), np.zeros(RATE // 25, np.float32)
    times = []
    with threads(1):
        for number in range(25 * 40):
            start = time.perf_counter()
            frames = session.push(chunk)
            if number >= 50 and len(frames):
                times.append(1000 * (time.perf_counter() - start))
    median, late = np.percentile(times, [50, 99])
    return Measurement(float(median), "ms", f"99th percentile {late:.1f} ms, {len(times)} chunks")


def look_ahead() -> Measurement:
    """Return the milliseconds of audio beyond a frame's time stamp that the bundled model waits for."""
    pipe = hm.load("ms-sync", device="cpu")
    ahead, at_48 = pipe.lookahead_ms(RATE), pipe.lookahead_ms(48_000)
    assert ahead is not None and at_48 is not None
    return Measurement(ahead, "ms", f"at 16 kHz; {at_48:.0f} ms at 48 kHz")


def memory_streaming() -> Measurement:
    """Measure the growth of a session's memory over minutes, as the slope of a line."""
    session, chunk = hm.load("ms-sync", device="cpu").stream(sample_rate=RATE), np.zeros(RATE // 5, np.float32)
    resident = []
    with threads(1):
        for number in range(300 * MINUTES + 1):
            session.push(chunk)
            if number % 50 == 0 and number >= 300 * WARM_UP_MINUTES:
                resident.append(resident_mb())
    return _growth(resident)


def memory_file_to_file() -> Measurement:
    """Measure the same from a FLAC file to a video of the `skeleton` renderer.

    The video is a small `.webm`, because an `.mp4` ends with an index of all its packets, which is held in memory.
    """
    pipe = hm.load("ms-sync", device="cpu")
    with TemporaryDirectory() as folder, threads(1):
        speech = Path(folder) / "speech.flac"
        with soundfile.SoundFile(speech, "w", RATE, 1) as stream:
            for second in range(60 * MINUTES):
                stream.write(np.random.default_rng(second).normal(0, 0.05, RATE))
        resident: list[float] = []
        motion = _recording_memory(pipe.iter_motion(speech), resident)
        renderer = {"type": "skeleton", "size": 128}
        pipe.render(motion, Path(folder) / "talk.webm", audio=speech, renderer=renderer, quiet=True)
    return _growth(resident[6 * WARM_UP_MINUTES :])


def memory_hour() -> Measurement:
    """Measure the largest memory of `headmotion animate` of an hour, with a picture of 512 x 512, to `.mp4`."""
    assets = Path(hm.__file__).parent / "assets"
    with TemporaryDirectory() as folder:
        speech, talk = Path(folder) / "speech.flac", Path(folder) / "talk.mp4"
        wave = hm.Audio.load(assets / "speech.flac").read(RATE)
        with soundfile.SoundFile(speech, "w", RATE, 1) as stream:
            while stream.frames < 3600 * RATE:
                stream.write(wave)
        picture = ["--image", f"{assets}/portrait.png", "--landmarks", f"{assets}/portrait_landmarks.npz"]
        command = [sys.executable, "-c", "from headmotion.cli import main; main()", "animate", str(speech), *picture]
        subprocess.run([*command, "--model", "ms-sync", "-o", str(talk), "-q"], check=True)
        size = talk.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return Measurement(peak, "MB", f"peak of the process; a file of {size / 1e6:.0f} MB")


def _recording_memory(chunks: Iterator[Motion], resident: list[float]) -> Iterator[Motion]:
    """Yield the same chunks of motion, and append the memory after each ten seconds of them."""
    frames = 0
    for chunk in chunks:
        yield chunk
        if (frames + len(chunk)) // 250 > frames // 250:
            resident.append(resident_mb())
        frames += len(chunk)


def _growth(resident: list[float]) -> Measurement:
    note = f"slope over minutes {WARM_UP_MINUTES} to {MINUTES} of audio; {min(resident):.0f} to {max(resident):.0f} MB"
    return Measurement(growth_per_hour(resident, MINUTES - WARM_UP_MINUTES), "MB/h", note)
