import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from headmotion.metrics.gaussian import Gaussian, frechet_distance


def between(one: np.ndarray, other: np.ndarray) -> float:
    return frechet_distance(*(Gaussian.of(torch.from_numpy(each)) for each in (one, other)))


def by_matrix_root(one: np.ndarray, other: np.ndarray) -> float:
    """The formula as FID's and torchmetrics' authors evaluate it: means, covariances, the root of their product."""
    shift = one.mean(axis=0) - other.mean(axis=0)
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * np.trace(root).real)


def samples(count: int, size: int, seed: int) -> np.ndarray:
    chance = np.random.default_rng([count, size, seed])
    return chance.normal(size=(count, size)) @ chance.normal(size=(size, size)) + chance.normal(size=size)


@pytest.mark.parametrize(("counts", "size"), [((500, 300), 2), ((200, 400), 20), ((2000, 1500), 64), ((130, 129), 128)])
def test_it_is_the_formula_that_others_evaluate(counts: tuple[int, int], size: int) -> None:
    one, other = samples(counts[0], size, 1), samples(counts[1], size, 2)
    assert between(one, other) == pytest.approx(by_matrix_root(one, other), rel=1e-6)
    assert between(other, one) == pytest.approx(between(one, other), rel=1e-9)


def test_one_dimension_by_hand() -> None:
    # Means 2 and 5, variances 2 and 18 (sums of squares 2 and 18 over n - 1 = 1): 9 + (sqrt(18) - sqrt(2))^2 = 17.
    one, other = np.array([[1.0], [3.0]]), np.array([[2.0], [8.0]])
    assert between(one, other) == pytest.approx(17.0, rel=1e-12)


def test_independent_dimensions_by_hand() -> None:
    # The corners of a box are uncorrelated; with n = 4 the variance of +-a is 4 a^2 / 3.
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    one, other = corners * [1.0, 2.0], corners * [4.0, 2.0] + [0.0, 7.0]
    assert between(one, other) == pytest.approx(7**2 + 4 / 3 * (4 - 1) ** 2, rel=1e-12)


@pytest.mark.parametrize(("count", "size"), [(2, 1), (2, 300), (50, 300), (400, 30)])
def test_a_set_is_no_way_from_itself(count: int, size: int) -> None:
    one = samples(count, size, 3)
    assert between(one, one.copy()) == pytest.approx(0, abs=1e-9 * float(np.square(one).sum()))
    assert between(one, one[::-1].copy()) == pytest.approx(0, abs=1e-9 * float(np.square(one).sum()))


def test_a_shift_alone_is_its_square_whatever_the_covariance() -> None:
    for count in (3, 40, 400):
        one = samples(count, 30, 4)
        assert between(one, one + 0.5) == pytest.approx(30 * 0.25, rel=1e-8)


@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 30), st.integers(0, 3), st.integers(0, 99))
def test_it_is_finite_and_never_negative(one: int, other: int, size: int, constant: int, seed: int) -> None:
    first, second = samples(one, size, seed), samples(other, size, seed + 1)
    first[:, :constant], second[:, :constant] = 3.0, 3.0
    found = between(first, second)
    assert np.isfinite(found) and found >= 0
    assert between(first * 0, second * 0) == 0


def test_few_samples_have_the_distance_of_their_covariances() -> None:
    one, other = samples(6, 40, 1), samples(9, 40, 2)
    # Within the span of all samples nothing is lost, and there the matrices are no longer so singular.
    basis = np.linalg.qr(np.concatenate([one, other]).T)[0]
    assert between(one, other) == pytest.approx(between(one @ basis, other @ basis), rel=1e-9)


def test_one_sample_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="two samples"):
        Gaussian.of(torch.zeros(1, 4))
