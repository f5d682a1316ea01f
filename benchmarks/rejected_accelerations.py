"""Accelerations that were measured and are not in the package: time with one over time without it.

    python -m benchmarks.rejected_accelerations

What brings less than 10 % of its phase is not worth its code. Measured as in `benchmarks.accelerations`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import torch

from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.ms_sync.generator import MSSyncGenerator

from .accelerations import GENERATOR, Acceleration, ratio
from .rollout_block import rollout_of_blocks

REJECTED = (
    Acceleration(
        "blocks of a rollout as one node of autograd each, gradients of weights summed in place (`rollout_block`)",
        "training, `small-cpu`, generator phase",
        GENERATOR,
        lambda: patch.object(MSSyncGenerator, "_rollout", rollout_of_blocks),
        12,
    ),
)
"""Here ``without`` turns the acceleration on, because the package is without it."""

if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    print("| rejected acceleration | workload | with over without |", "|---|---|---|", sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_synthetic(Path(folder) / "corpus", clips=60, seconds=4.0)
        for rejected in REJECTED:
            middle, low, high = ratio(rejected, corpus)
            print(f"| {rejected.name} | {rejected.workload} | {middle:.2f} ({low:.2f} to {high:.2f}) |", flush=True)
