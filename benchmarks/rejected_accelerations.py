"""Accelerations that were measured and are not in the package: time with one over time without it.

    python -m benchmarks.rejected_accelerations

What brings less than 10 % of its phase is not worth its code. Measured as in `benchmarks.accelerations`.
"""

from __future__ import annotations

from unittest.mock import patch

from headmotion.ms_sync.generator import MSSyncGenerator

from .accelerations import GENERATOR, Acceleration, main, measure_all
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
    main(measure_all(REJECTED, ("rejected acceleration", "with over without")))
