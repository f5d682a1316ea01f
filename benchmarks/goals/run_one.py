"""Measure one goal in this process, for `python -m benchmarks.goals`."""

from __future__ import annotations

import sys

import torch

from .page import keep, row
from .table import GOALS

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    figure = GOALS[sys.argv[1]].measure()
    keep(sys.argv[1], figure)
    print(row(sys.argv[1], figure), flush=True)
