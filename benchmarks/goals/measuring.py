"""How the goals are measured: cases in turns, medians, resident memory."""

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

KEPT_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(1 << 28)}
"""Lets glibc keep what was freed. Otherwise it gives large blocks back to the system and asks for them anew, at each
frame of plain modules, and a process has other blocks to give back when two networks take turns in it."""


@dataclass(frozen=True)
class Figure:
    """What one goal came to."""

    value: float
    unit: str
    note: str = ""
    """What it is made of."""


def in_turns(cases: Mapping[str, Callable[[], object]], turns: int = 5) -> dict[str, float]:
    """Median seconds of each case; all cases take turns, so that a busy moment meets all of them."""
    took: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(turns + 1):
        for name, case in cases.items():
            began = time.perf_counter()
            case()
            if turn:  # the first is for caches
                took[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in took.items()}


def printed(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """The last line that a module prints, run in a process of its own."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1]


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def resident_mb() -> float:
    """Memory of this process (MB)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def growth_per_hour(resident: list[float], minutes: float) -> float:
    """Megabytes per hour by a straight line through ``resident``, taken evenly over so many minutes of audio."""
    count = len(resident)
    at = [minutes * k / (count - 1) for k in range(count)]
    return 60 * statistics.linear_regression(at, resident).slope
