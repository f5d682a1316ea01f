"""Means over seeds and clips, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]
DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"

    @property
    def sign(self) -> int:
        """1 or -1 where the whole interval lies on one side of 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def interval(values: Table) -> Interval:
    """Of values ``[seeds, clips]``: bootstrap over seeds and, independently, over clips, which all seeds share.

    The two are crossed, not nested: a clip that is hard for one seed is hard for the next.
    """
    chance = np.random.default_rng(0)
    seeds, clips = values.shape
    by_seed = chance.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS) / seeds
    by_clip = chance.multinomial(clips, np.full(clips, 1 / clips), DRAWS) / clips
    draws = np.einsum("ds,sc,dc->d", by_seed, values, by_clip)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))
