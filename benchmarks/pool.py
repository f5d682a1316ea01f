"""How many live sessions a core keeps up with: a pool that gets 20 ms of audio per session at a time.

``python -m benchmarks.pool`` prints a table. Sessions start at different times, so they stand at different positions of
the audio pyramid. "In real time" is the number of seconds of audio that a second of processor time advances.
"""

from __future__ import annotations

import time
from importlib.resources import as_file, files

import numpy as np
import torch

import headmotion as hm

COUNTS = (1, 8, 32, 128)
"""Sessions in the pool."""
PUSH_MS = 20
"""Audio per push (ms)."""
SECONDS = 15.0
"""Limit of the time per row, of which a step never takes more than a part."""
RATE = 16_000


def measure(pipe: hm.Pipeline, wave: np.ndarray, count: int) -> tuple[float, float, float]:
    """Return sessions in real time per core, and median and 99th percentile of a step (ms)."""
    pool, size = pipe.pool(), RATE * PUSH_MS // 1000
    sessions = [pool.open(sample_rate=RATE, seed=k) for k in range(count)]
    rng = np.random.default_rng(0)
    starts = rng.integers(0, len(wave), count)

    def push(step: int) -> None:
        for session, start in zip(sessions, starts, strict=True):
            session.push(np.take(wave, np.arange(size) + start + step * size, mode="wrap"))

    # Each begins at a different time, and all are past their look-ahead.
    for session, start in zip(sessions, starts, strict=True):
        ahead = size * int(rng.integers(25, 41))
        session.push(np.take(wave, np.arange(start - ahead, start), mode="wrap"))
    pool.step()
    durations: list[float] = []
    processor, begin = time.process_time(), time.perf_counter()
    while time.perf_counter() - begin < SECONDS and len(durations) < 500:
        push(len(durations))
        started = time.perf_counter()
        pool.step()
        durations.append(time.perf_counter() - started)
    processor = time.process_time() - processor
    audio = count * len(durations) * PUSH_MS / 1000
    median, p99 = (1000 * float(np.percentile(durations, share)) for share in (50, 99))
    return audio / processor, median, p99


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    pipe = hm.load("ms-sync", device="cpu")
    with as_file(files("headmotion") / "assets" / "speech.flac") as path:
        wave = hm.Audio.load(path).read(RATE)
    print(f"| sessions | in real time per core | median step, {PUSH_MS} ms of audio (ms) | 99th percentile (ms) |")
    print("|---:|---:|---:|---:|")
    for count in COUNTS:
        per_core, median, p99 = measure(pipe, wave, count)
        print(f"| {count} | {per_core:.0f} | {median:.1f} | {p99:.1f} |", flush=True)


if __name__ == "__main__":
    main()
