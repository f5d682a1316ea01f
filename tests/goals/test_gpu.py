"""The measurement for GPUs, on the CPU: what is timed is what the generator gives."""

from __future__ import annotations

import torch

from benchmarks.gpu import FRAMES, call_of, generation, generator_of


def test_rows_say_how_near_the_limit_each_case_is() -> None:
    rows = list(generation(torch.device("cpu"), ["small"], [1, 3], side=64))
    assert [row.split("|")[1].strip() for row in rows] == [
        f"preset `small`, batch {batch}, {name}, eager" for batch in (1, 3) for name in ("fp32", "bf16")
    ]
    shares = [float(row.split("|")[4].rstrip("% ")) for row in rows]
    assert all(share > 0 for share in shares)


def test_the_timed_call_makes_every_frame_in_either_type() -> None:
    generator = generator_of("small", torch.device("cpu"))
    made = {}
    for name in ("float32", "bfloat16"):
        torch.manual_seed(0)
        made[name] = call_of(generator, 2, "eager", getattr(torch, name))()
        assert made[name].shape == (2, FRAMES, 68, 2)  # type: ignore[attr-defined]
    apart = (made["float32"] - made["bfloat16"]).abs().max()
    assert 0 < apart < 0.05 * made["float32"].abs().max()  # type: ignore[attr-defined]
