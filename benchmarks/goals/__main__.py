"""Measure the goals of speed and memory.

    python -m benchmarks.goals [NAME ...]

Prints a line per goal and puts its figure into docs/performance.md, the rest of which `python -m benchmarks.run`
writes. Each goal is measured in a process of its own, so that none finds the memory that another has left.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from .page import renew
from .table import GOALS

THREADS = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}
"""Two for torch at most, one for NumPy."""
KEPT_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(1 << 28)}
"""Lets glibc keep what was freed. Otherwise it may give large blocks back to the system and ask for them anew at each
frame, which by chance doubles the time of plain modules."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"goals, all by default: {', '.join(GOALS)}")
    names = parser.parse_args().names
    if unknown := set(names) - GOALS.keys():
        parser.error(f"no such goal: {', '.join(sorted(unknown))}")
    for name in names or GOALS:
        environment = os.environ | THREADS | ({} if GOALS[name].of_memory else KEPT_MEMORY)
        subprocess.run([sys.executable, "-m", "benchmarks.goals.one", name], env=environment, check=True)
    renew()


if __name__ == "__main__":
    main()
