"""Clips drawn by their probability, at a cost that does not grow with their number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SHIFT = 2
"""A bucket of the guide table holds about ``2 ** SHIFT`` clips."""


class ClipDraws:
    """Draws what NumPy's ``Generator.choice(N, size, p=probabilities)`` draws, which adds up all of them each time.

    Probabilities are added up once, and a guide table says where in the sums to look. Source: Chen and Asau (1974), On
    generating random variates from an empirical distribution.

    Args:
        probabilities: ``[N]``, from 0, at least one of them above.
    """

    def __init__(self, probabilities: npt.NDArray[np.float64]) -> None:
        self._sums = probabilities.cumsum()
        self._sums /= self._sums[-1]
        # A power of two, because then numbers are exactly at or above the start of the bucket that they fall into. Few
        # enough for the table to stay in the processor's cache.
        self._buckets = 1 << max(0, (len(probabilities) - 1).bit_length() - SHIFT)
        first_bucket_above = np.ceil(self._sums * self._buckets).astype(np.int64)
        # Entry k: how many sums are at or below the start of bucket k.
        self._guide = np.bincount(first_bucket_above, minlength=self._buckets + 1).cumsum()

    def draw(self, rng: np.random.Generator, size: int) -> npt.NDArray[np.int64]:
        """Return ``size`` numbers below ``N``."""
        numbers = rng.random(size)
        buckets = (numbers * self._buckets).astype(np.int64)
        low, high = self._guide[buckets], self._guide[buckets + 1]
        # A bucket holds one clip on average; where it holds many that are seldom drawn, they are bisected.
        while (undecided := low < high).any():
            middle = (low + high) // 2
            beyond = self._sums[np.minimum(middle, len(self._sums) - 1)] <= numbers
            low = np.where(undecided & beyond, middle + 1, low)
            high = np.where(undecided & ~beyond, middle, high)
        return low
