"""How many live sessions a core keeps up with: a pool that gets 20 ms of audio per session at a time.

``python -m benchmarks.pool`` prints a table, and with ``--page`` writes it into docs/serve.md. Sessions start at
different times, so they stand at different positions of the audio pyramid. "In real time" is the number of seconds of
audio that a second of processor time advances. Its limit is that number if only matrix products took time, at the speed
of one large product on the same machine.
"""

from __future__ import annotations

import argparse
import time
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

import headmotion as hm
from headmotion.core.default_model import DEFAULT_MODEL

from .talking_heads.pages import replace_block

COUNTS = (1, 16, 64)
"""Sessions in the pool."""
PUSH_MS = 20
"""Audio per push (ms)."""
SECONDS = 10.0
"""Limit of the time per row, of which a step never takes more than a part."""
STEPS_COUNTED = 40
"""Steps whose operations are counted."""
RATE = 16_000
PAGE = Path(__file__).parents[1] / "docs" / "serve.md"


def measure(pipe: hm.Pipeline, wave: np.ndarray, count: int) -> tuple[float, float, float, float]:
    """Return sessions in real time per core, their limit, and median and 99th percentile of a step (ms)."""
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
    with FlopCounterMode(display=False) as counter:
        for step in range(STEPS_COUNTED):
            push(len(durations) + step)
            pool.step()
    limit = count * STEPS_COUNTED * PUSH_MS / 1000 * product_speed() / counter.get_total_flops()
    return audio / processor, limit, median, p99


def product_speed() -> float:
    """Return the operations that one large matrix product makes in a second of processor time."""
    left, right = torch.randn(1024, 384), torch.randn(384, 1536)
    speeds = []
    for _ in range(30):
        begin = time.process_time()
        left @ right
        speeds.append(2 * left.numel() * right.shape[1] / (time.process_time() - begin))
    return max(speeds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="write the table into docs/serve.md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with as_file(files("headmotion") / "assets" / "speech.flac") as path:
        wave = hm.Audio.load(path).read(RATE)
    lines = [
        f"| model | sessions | in real time per core | limit by matrix products | median step of {PUSH_MS} ms (ms) "
        "| 99th percentile (ms) |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for model in (DEFAULT_MODEL, "ms-sync"):
        pipe = hm.load(model, device="cpu")
        for count in COUNTS:
            per_core, limit, median, p99 = measure(pipe, wave, count)
            lines.append(f"| `{model}` | {count} | {per_core:.0f} | {limit:.0f} | {median:.1f} | {p99:.1f} |")
            print(lines[-1], flush=True)
    if arguments.page:
        replace_block(PAGE, "pool", lines)


if __name__ == "__main__":
    main()
