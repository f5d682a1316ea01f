"""Noise by sample and frame: standard normal, independent, and the same however a clip is divided."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headmotion.core.component import seeded_uniform
from headmotion.core.noise import normal, sample_seeds


def test_moments_and_tails() -> None:
    values = normal(range(20), range(0, 500), (20,)).double()
    assert values.shape == (20, 500, 20) and values.isfinite().all()
    assert abs(values.mean()) < 0.01 and abs(values.var() - 1) < 0.02
    assert abs((values**3).mean()) < 0.03 and abs((values**4).mean() - 3) < 0.1
    for bound, share in ((1, 0.3173), (2, 0.0455), (3, 0.0027)):
        assert abs((values.abs() > bound).double().mean() - share) < 0.1 * share + 1e-4


def test_seeds_frames_numbers_streams_and_shapes_are_independent() -> None:
    values = normal(range(40), range(0, 50), (10,))
    for axis in range(3):
        rows = values.transpose(0, axis).flatten(1)
        correlation = torch.corrcoef(rows) - torch.eye(len(rows))
        assert correlation.abs().max() < 5 / rows.shape[1] ** 0.5
    lagged = (values[:, 1:] * values[:, :-1]).mean()
    assert abs(lagged) < 0.03
    others = normal(range(40), range(0, 50), (10,), stream=1), normal(range(40), range(0, 50), (5,))
    assert abs((values * others[0]).mean()) < 0.03 and abs((values[..., :5] * others[1]).mean()) < 0.03


@given(st.integers(-(2**70), 2**70), st.integers(-5, 30), st.integers(1, 30), st.integers(0, 9))
def test_chunks_and_batches_change_no_number(seed: int, first: int, count: int, size: int) -> None:
    seeds = [seed, seed + 1, 7]
    whole = normal(seeds, range(first, first + count), (size, 2))
    middle = first + count // 3
    parts = [normal(seeds, range(first, middle), (size, 2)), normal(seeds, range(middle, first + count), (size, 2))]
    assert torch.equal(torch.cat(parts, dim=1), whole)
    assert torch.equal(normal(seeds[1:2], middle, (size, 2))[0], whole[1, middle - first])


def test_a_number_is_the_same_in_every_version() -> None:
    expected = torch.tensor([[-0.7615, 0.2136, 1.0112], [0.7112, -2.2131, -0.0762]])
    torch.testing.assert_close(normal([1, 2], 3, (3,)), expected, atol=1e-4, rtol=0)


def test_seeds_of_a_batch() -> None:
    assert list(sample_seeds(5, 3)) == [5, 6, 7] and sample_seeds([4, 4], 2) == [4, 4]
    with pytest.raises(ValueError, match="2 seeds for a batch of 3"):
        sample_seeds([1, 2], 3)
    with pytest.raises(ValueError, match="consecutive"):
        normal([1], range(0, 4, 2), (1,))


def test_uniform_noise_is_what_it_was() -> None:
    """MS-Sync draws its noise from `seeded_uniform`: these numbers must never change."""
    expected = torch.tensor([[0.7576, 0.2793], [0.6147, 0.3810]])
    torch.testing.assert_close(seeded_uniform(1, 2, 2), expected, atol=1e-4, rtol=0)
