"""Draws are those of NumPy, whatever the probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from headmotion.data.clip_draws import ClipDraws


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 1000, 5000])
@pytest.mark.parametrize("power", [0, 1, 20], ids=["even", "uneven", "a few have all"])
def test_draws_are_numpys(count: int, power: int) -> None:
    probabilities = np.random.default_rng(count).random(count) ** power
    probabilities[np.random.default_rng(1).random(count) < 0.3] = 0.0
    probabilities[-1 if power else 0] += 0.1
    probabilities /= probabilities.sum()
    draws = ClipDraws(probabilities)
    for seed in range(20):
        expected = np.random.default_rng([seed, 2]).choice(count, size=64, p=probabilities)
        assert np.array_equal(draws.draw(np.random.default_rng([seed, 2]), 64), expected)
