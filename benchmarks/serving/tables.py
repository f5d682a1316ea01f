"""The table of sessions that a server holds."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter

import numpy as np

from .bad_clients import annoy
from .process import Served
from .speakers import Delays, crowd

VISIT_S = 5.0
"""Length of a session that comes and goes (s)."""
HEAD = [
    "| model | sessions | in real time per core | use of a core | median delay (ms) | 99th percentile (ms) "
    "| memory per session (MB) | failed |",
    "|---|---|---:|---:|---:|---:|---:|---:|",
]


def row(model: str, served: Served, wave: np.ndarray, count: int, seconds: float, visit_s: float | None) -> str:
    """Return a row of the table."""
    memory, processor, begin = served.memory_mb(), served.processor_s(), time.perf_counter()
    own = time.process_time()
    delays = asyncio.run(crowd(served.url, wave, count, seconds, visit_s))
    processor, wall = served.processor_s() - processor, time.perf_counter() - begin
    cells = (
        f"{delays.speech_s / processor:.0f}",
        f"{100 * processor / wall:.0f} %",
        f"{delays.percentile(50):.1f}",
        f"{delays.percentile(99):.1f}",
        f"{(served.memory_mb() - memory) / count:.2f}",
        f"{len(delays.failed)}",
    )
    print(f"  clients used {100 * (time.process_time() - own) / wall:.0f} % of a core", file=sys.stderr)
    for failure in delays.failed[:3]:
        print(f"  failed: {failure}", file=sys.stderr)
    come = "stay" if visit_s is None else "come and go"
    return f"| `{model}` | {count}, {come} | {' | '.join(cells)} |"


def with_bad_clients(model: str, served: Served, wave: np.ndarray, count: int, seconds: float) -> str:
    """Return the sentence about bad clients."""

    async def both() -> tuple[Delays, Counter[str]]:
        return await asyncio.gather(crowd(served.url, wave, count, seconds, None), annoy(served.url, seconds))

    before = served.memory_mb()
    delays, bad = asyncio.run(both())
    kinds = ", ".join(f"{number} {kind}" for kind, number in bad.items())
    return (
        f"{count} sessions of `{model}` for {seconds:.0f} s with {bad.total()} bad connections ({kinds}): "
        f"{len(delays.failed)} disturbed, median {delays.percentile(50):.1f} ms, 99th percentile "
        f"{delays.percentile(99):.1f} ms, memory {served.memory_mb() - before:+.1f} MB."
    )
