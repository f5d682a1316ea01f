"""The benchmark of GPUs, run on the CPU: the timed call returns what the generator returns."""

from __future__ import annotations

import torch

from benchmarks.gpu import FRAMES, call_of, generation, generator_of


def test_rows_have_the_fraction_of_the_limit() -> None:
    rows = list(generation(torch.device("cpu"), ["small"], [1, 3], side=64))
    assert [row.split("|")[1].strip() for row in rows] == [
        f"preset `small`, batch {batch}, {name}, eager" for batch in (1, 3) for name in ("fp32", "bf16")
    ]
    shares = [float(row.split("|")[4].rstrip("% ")) for row in rows]
    assert all(share > 0 for share in shares)


def test_the_timed_call_generates_every_frame_in_both_types() -> None:
    generator = generator_of("small", torch.device("cpu"))
    generated = {}
    for name in ("float32", "bfloat16"):
        torch.manual_seed(0)
        generated[name] = call_of(generator, 2, "eager", getattr(torch, name))()
        assert generated[name].shape == (2, FRAMES, 68, 2)  # type: ignore[attr-defined]
    difference = (generated["float32"] - generated["bfloat16"]).abs().max()
    assert 0 < difference < 0.05 * generated["float32"].abs().max()  # type: ignore[attr-defined]
