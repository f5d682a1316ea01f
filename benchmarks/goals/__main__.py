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

from .measuring import KEPT_MEMORY
from .page import renew
from .table import GOALS

THREADS = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}
"""Two for torch at most, one for NumPy."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"goals, all by default: {', '.join(GOALS)}")
    names = parser.parse_args().names
    if unknown := set(names) - GOALS.keys():
        parser.error(f"no such goal: {', '.join(sorted(unknown))}")
    for name in names or GOALS:
        environment = os.environ | THREADS | ({} if GOALS[name].of_memory else KEPT_MEMORY)
        subprocess.run([sys.executable, "-m", "benchmarks.goals.run_one", name], env=environment, check=True)
    renew()


if __name__ == "__main__":
    main()
