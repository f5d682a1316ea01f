"""Values of metrics with 95 % intervals by bootstrap over clips (Efron 1979, percentiles)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..core.interfaces.metric import Metric, MetricValues, Observation, PerClip, SlowBootstrap
from ..core.outputs import checked_numbers

DRAWS = 1000
"""Bootstrap draws for an interval."""
MAX_CLIPS = 100_000
"""Clips in all draws together, where values are computed anew for each draw; `MIN_DRAWS` are made in any case."""
MIN_DRAWS = 100
LOW, HIGH = 2.5, 97.5
# A part of the protocol of every report: other words would make reports incomparable.
RULE = (
    f"95 % percentile interval of {DRAWS} bootstrap draws over clips; fewer (at least {MIN_DRAWS}, {MAX_CLIPS} clips in"
    " all) for figures that are not means over clips"
)

Intervals = dict[str, tuple[float, float]]
"""Low and high end by name of the value."""


def bootstrap_intervals(metric: Metric, observed: Sequence[Observation], seed: int) -> Intervals:
    """Return the interval of each value; none for a single clip, or for a value that no draw has.

    Args:
        metric: computes the values.
        observed: one observation per clip.
        seed: of the draws.
    """
    if len(observed) < 2:
        return {}
    # Means over clips are quick, and most values are means.
    of_means = _intervals_of_means(metric, observed, seed) if isinstance(metric, PerClip) else {}
    if finite_values(metric, observed).values.keys() <= of_means.keys():
        return of_means
    return _intervals_by_recomputing(metric, observed, seed) | of_means


def interval_of_mean(values: npt.NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Return the interval of the mean of two or more finite values ``[N]``."""
    count = len(values)
    counts = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), DRAWS)
    return _percentiles(counts @ values / count)


def finite_values(metric: Metric, observed: Sequence[Observation]) -> MetricValues:
    """Return a metric's values; those that are not finite are replaced by a note."""
    result = metric.figures(observed)
    numbers = checked_numbers(metric, getattr(result, "values", result), "figures")
    values = {name: value for name, value in numbers.items() if math.isfinite(value)}
    broken = sorted(numbers.keys() - values.keys())
    notes = tuple(f"{name}: left out, because it is not finite" for name in broken)
    return MetricValues(values, (*result.notes, *notes))


def values_by_clip(metric: Metric, observed: Sequence[Observation]) -> dict[str, npt.NDArray[np.float64]]:
    """Return the value of every clip ``[N]`` by name, NaN where undefined; nothing if clips have no values."""
    if not isinstance(metric, PerClip):
        return {}
    clip_values = [checked_numbers(metric, metric.per_clip(clip), "per_clip") for clip in observed]
    names = dict.fromkeys(name for values in clip_values for name in values)
    return {name: np.array([values.get(name, np.nan) for values in clip_values], np.float64) for name in names}


def bootstrap_draws(metric: Metric, clips: int) -> int:
    """Return the number of draws for values that are computed anew for each draw of so many clips."""
    # The more clips, the slower a draw; the product is bounded.
    draws = metric.draws if isinstance(metric, SlowBootstrap) else max(MIN_DRAWS, MAX_CLIPS // clips)
    return min(DRAWS, draws)


def _intervals_of_means(metric: Metric, observed: Sequence[Observation], seed: int) -> Intervals:
    count = len(observed)
    # How often each clip occurs in each draw: a mean is then one matrix product.
    counts = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), DRAWS)
    intervals = {}
    for name, values in values_by_clip(metric, observed).items():
        defined = np.isfinite(values)
        # Clips without the value count neither above nor below; a draw without any clip that has it is dropped.
        weights = counts[:, defined].sum(axis=1)
        means = (counts[:, defined] @ values[defined])[weights > 0] / weights[weights > 0]
        intervals[name] = _percentiles(means)
    return intervals


def _intervals_by_recomputing(metric: Metric, observed: Sequence[Observation], seed: int) -> Intervals:
    count = len(observed)
    draws = np.random.default_rng(seed).integers(0, count, (bootstrap_draws(metric, count), count))
    values: dict[str, list[float]] = {}
    for indices in draws:
        # A draw may lack a value, for example if it holds the same clip over and over.
        for name, value in finite_values(metric, [observed[k] for k in indices]).values.items():
            values.setdefault(name, []).append(value)
    return {name: _percentiles(np.array(drawn)) for name, drawn in values.items()}


def _percentiles(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(values, [LOW, HIGH])
    return float(low), float(high)
