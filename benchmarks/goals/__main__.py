"""Measure the goals of speed and memory.

    python -m benchmarks.goals [NAME ...]

Prints a line per goal and writes its measurement into docs/performance.md, the rest of which `python -m benchmarks.run`
writes. Each goal is measured in a process of its own, so that none finds the memory that another has left.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import torch

from .goal_list import GOALS
from .performance_page import row, store, update
from .timing import KEEP_MEMORY

THREADS = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}
"""Two for torch at most, one for NumPy."""


def measure_here(name: str) -> None:
    """Measure one goal in this process."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    measurement = GOALS[name].measure()
    store(name, measurement)
    print(row(name, measurement), flush=True)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"goals, all by default: {', '.join(GOALS)}")
    parser.add_argument("--here", action="store_true", help="measure in this process, and leave the page as it is")
    arguments = parser.parse_args()
    names = arguments.names or list(GOALS)
    if unknown := set(names) - GOALS.keys():
        parser.error(f"no such goal: {', '.join(sorted(unknown))}")
    if arguments.here:
        for name in names:
            measure_here(name)
        return
    for name in names:
        environment = os.environ | THREADS | ({} if GOALS[name].of_memory else KEEP_MEMORY)
        subprocess.run([sys.executable, "-m", "benchmarks.goals", name, "--here"], env=environment, check=True)
    update()


if __name__ == "__main__":
    main()
