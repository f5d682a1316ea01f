"""How the goals are measured: interleaved cases, medians, processes of their own, resident memory."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(1 << 28)}
"""Environment in which glibc keeps freed memory. By default it returns large blocks to the system and requests them
again, at each frame of plain modules, and a process returns other blocks when two networks take turns in it."""


@dataclass(frozen=True)
class Measurement:
    """The result of one goal."""

    value: float
    unit: str
    note: str = ""
    """How it comes about."""


def median_seconds(cases: Mapping[str, Callable[[], object]], turns: int = 5) -> dict[str, float]:
    """Return the median seconds of each case; all cases take turns, so that load meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(turns + 1):
        for name, case in cases.items():
            start = time.perf_counter()
            case()
            if turn:  # the first fills caches
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def last_line_of(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a module in a process of its own and return the last line that it prints."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1]


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use ``count`` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def resident_mb() -> float:
    """Return the resident memory of this process in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def growth_per_hour(resident: list[float], minutes: float) -> float:
    """Fit a line to resident memory (MB), sampled evenly over minutes of audio, and return its slope in MB per hour."""
    count = len(resident)
    times = [minutes * k / (count - 1) for k in range(count)]
    return 60 * statistics.linear_regression(times, resident).slope
