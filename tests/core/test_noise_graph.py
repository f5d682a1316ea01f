"""Noise that a graph draws itself is that of `normal`."""

from __future__ import annotations

import pytest
import torch

from headmotion.core.noise import normal
from headmotion.core.noise_graph import NoiseGraph, inverse_normal


@pytest.mark.parametrize("seed", [0, 1, 123_456_789, 2**64 - 1, -5])
@pytest.mark.parametrize(("streams", "size"), [((0,), 1), ((0, 1), 20), ((7, 2**32 - 1), 6)])
def test_it_draws_the_numbers_of_normal(seed: int, streams: tuple[int, ...], size: int) -> None:
    graph = NoiseGraph(streams, size)
    keys = graph.keys(seed)
    assert keys.dtype == torch.float32
    for first in (0, 3, 65_535, 2_000_000):
        drawn = graph(keys, torch.tensor(first), 5)
        for values, stream in zip(drawn, streams, strict=True):
            expected = normal((seed,), range(first, first + 5), (size,), stream)[0]
            torch.testing.assert_close(values, expected, atol=2e-6, rtol=1e-6)


def test_the_inverse_is_right_far_out_in_both_tails() -> None:
    tail = 0.5 ** torch.arange(1, 53).double()
    uniform = torch.cat([tail, 1 - tail, torch.linspace(0.01, 0.99, 999).double()])
    torch.testing.assert_close(inverse_normal(uniform), torch.special.ndtri(uniform), atol=1e-6, rtol=1e-6)
