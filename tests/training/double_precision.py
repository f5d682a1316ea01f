"""A recipe in double precision whose batches can be divided, and the comparison of two runs of it."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

DOUBLE_PRECISION = [
    *["precision=64", "data.batch_size=16", "phases.syncers.steps=3", "phases.generator.steps=3"],
    "phases.generator.ema_decay=0.9",
    "phases.generator.discriminator.scored_frames=10",
]
"""Changes of `smoke`: both phases in double precision, batches whose halves are whole groups, and discriminators that
draw the frames that they score."""


def assert_same_state(left: Path, right: Path) -> None:
    """All parameters, buffers and moments of two runs agree but for rounding in double precision."""
    for name in ("state.safetensors", "syncers.safetensors"):
        assert_same_tensors(left / name, right / name)


def assert_same_tensors(left: Path, right: Path) -> None:
    """All tensors of two files agree but for rounding in double precision."""
    expected, actual = load_file(left), load_file(right)
    assert expected.keys() == actual.keys() and all(value.dtype != torch.bfloat16 for value in expected.values())
    for key, value in expected.items():
        # Where a gradient is zero, Adam turns its rounding into a step.
        torch.testing.assert_close(
            actual[key], value, rtol=1e-9, atol=1e-10, msg=lambda text, key=key: f"{key}: {text}"
        )
