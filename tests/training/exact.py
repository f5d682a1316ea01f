"""A recipe that can be divided and computed exactly, and the comparison of two runs of it."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

EXACT = [
    *["precision=64", "data.batch_size=16", "syncers.steps=3", "generator.steps=3", "generator.ema_decay=0.9"],
    "discriminator.scored_frames=10",
]
"""Of `smoke`: both phases in double precision, in batches that fill whole groups in halves, with discriminators that
draw the frames that they score."""


def assert_same_state(ours: Path, theirs: Path) -> None:
    """All parameters, buffers and moments of two runs agree but for rounding in double precision."""
    for name in ("state.safetensors", "syncers.safetensors"):
        one, other = load_file(ours / name), load_file(theirs / name)
        assert one.keys() == other.keys() and all(value.dtype != torch.bfloat16 for value in one.values())
        for key, value in one.items():
            # Adam makes a step of the rounding where a gradient is zero.
            torch.testing.assert_close(other[key], value, rtol=1e-9, atol=1e-10, msg=lambda text, k=key: f"{k}: {text}")
