"""Measure the goals of speed and memory.

    python -m benchmarks.goals [NAME ...]

Prints a line per goal and keeps its figure for docs/performance.md, which `python -m benchmarks.run` writes. Each of
several is measured in a process of its own, so that none finds the memory that another has left.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

os.environ.setdefault("OMP_NUM_THREADS", "2")

import torch

from .page import keep, row
from .table import GOALS


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"goals, all by default: {', '.join(GOALS)}")
    names = parser.parse_args().names
    if unknown := set(names) - GOALS.keys():
        parser.error(f"no such goal: {', '.join(sorted(unknown))}")
    if len(names) == 1:
        _measure(names[0])
        return
    for name in names or GOALS:
        subprocess.run([sys.executable, "-m", "benchmarks.goals", name], check=True)


def _measure(name: str) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    figure = GOALS[name].measure()
    keep(name, figure)
    print(row(name, figure), flush=True)


if __name__ == "__main__":
    main()
