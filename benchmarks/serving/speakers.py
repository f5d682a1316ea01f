"""Clients that speak in real time, and how long their frames take."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from importlib.resources import as_file, files

import numpy as np

from headmotion.media.audio import Audio
from headmotion.serving.client import connect_async

RATE = 16_000
PUSH_MS = 40
"""Speech per push (ms)."""


def speech_wave() -> np.ndarray:
    """Return the bundled speech, int16."""
    with as_file(files("headmotion") / "assets" / "speech.flac") as path:
        return (32767 * Audio.load(path).read(RATE)).astype(np.int16)


@dataclass
class Delays:
    """Delays of frames beyond the look-ahead (ms), and sessions that failed."""

    values: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    speech_s: float = 0.0

    def percentile(self, share: float) -> float:
        """Return a percentile (ms)."""
        return float(np.percentile(self.values, share)) if self.values else float("nan")


async def speak(url: str, wave: np.ndarray, start: int, seconds: float, delays: Delays) -> None:
    """Speak in real time for some seconds, and note how long frames take."""
    size, count = RATE * PUSH_MS // 1000, round(1000 * seconds / PUSH_MS)
    pushed: list[float] = []
    try:
        async with connect_async(url, sample_rate=RATE, samples="int16", seed=start) as session:
            ahead_s = session.welcome["lookahead_ms"] / 1000

            async def push() -> None:
                begin = time.perf_counter()
                for step in range(count):
                    await asyncio.sleep(max(0.0, begin + step * PUSH_MS / 1000 - time.perf_counter()))
                    block = np.take(wave, np.arange(size) + start + step * size, mode="wrap")
                    pushed.append(time.perf_counter())
                    await session.push(block)
                await session.end()

            pushing = asyncio.create_task(push())
            async for message in session:
                now = time.perf_counter()
                # The push with which the speech up to the frame and its look-ahead was complete.
                needed = float(message.times()[-1]) + ahead_s
                push_of_it = int(np.ceil(needed * 1000 / PUSH_MS)) - 1
                if push_of_it < len(pushed):
                    delays.values.append(1000 * (now - pushed[push_of_it]))
                elif push_of_it < count:  # it came before all of its look-ahead was there
                    delays.values.append(0.0)
            await pushing
            delays.speech_s += seconds
    except Exception as error:
        delays.failed.append(f"{type(error).__name__}: {error}")


async def crowd(url: str, wave: np.ndarray, count: int, seconds: float, visit_s: float | None, seed: int = 0) -> Delays:
    """Keep so many sessions speaking for some seconds; with ``visit_s`` each is followed by others."""
    delays, rng = Delays(), np.random.default_rng((seed, count))

    async def place() -> None:
        await asyncio.sleep(float(rng.uniform(0, 1)))
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 1:
            length = min(left, seconds if visit_s is None else visit_s * rng.uniform(0.5, 1.5))
            await speak(url, wave, int(rng.integers(0, len(wave))), length, delays)

    await asyncio.gather(*(place() for _ in range(count)))
    return delays
