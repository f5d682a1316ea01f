"""Figures with their 95 % intervals by bootstrap over clips (Efron 1979, percentiles)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..core.interfaces.metric import Metric, MetricValues, Observation, PerClip, SlowBootstrap

DRAWS = 1000
"""Draws of clips for an interval."""
LOOKED_AT = 100_000
"""Clips that the draws together may look at, where figures must be made anew for each; `FEWEST` draws at least."""
FEWEST = 100
LOW, HIGH = 2.5, 97.5
RULE = (
    f"95 % percentile interval of {DRAWS} bootstrap draws over clips; fewer (at least {FEWEST}, {LOOKED_AT} clips in"
    " all) for figures that are not means over clips"
)

Intervals = dict[str, tuple[float, float]]


def intervals(metric: Metric, observed: Sequence[Observation], seed: int) -> Intervals:
    """Low and high end by figure; none where there is one clip alone, or a figure is told in none of the draws."""
    if len(observed) < 2:
        return {}
    found = _of_means(metric, observed, seed) if isinstance(metric, PerClip) else {}
    if metric_figures(metric, observed).values.keys() <= found.keys():
        return found
    return _of_figures(metric, observed, seed) | found


def metric_figures(metric: Metric, observed: Sequence[Observation]) -> MetricValues:
    """A metric's figures, those that are not finite replaced by a note."""
    figures = metric.figures(observed)
    values = {name: float(value) for name, value in figures.values.items() if math.isfinite(value)}
    broken = sorted(figures.values.keys() - values.keys())
    notes = tuple(f"{name}: left out, because it is not finite" for name in broken)
    return MetricValues(values, (*figures.notes, *notes))


def clip_figures(metric: PerClip, observed: Sequence[Observation]) -> dict[str, npt.NDArray[np.float64]]:
    """By name, the figure of every clip ``[N]``; NaN where it cannot be told."""
    every = [metric.per_clip(each) for each in observed]
    names = dict.fromkeys(name for each in every for name in each)
    return {name: np.array([each.get(name, np.nan) for each in every], np.float64) for name in names}


def draws_of(metric: Metric, clips: int) -> int:
    """Draws for figures that must be made anew for each."""
    own = metric.draws if isinstance(metric, SlowBootstrap) else max(FEWEST, LOOKED_AT // clips)
    return min(DRAWS, own)


def _of_means(metric: PerClip, observed: Sequence[Observation], seed: int) -> Intervals:
    count = len(observed)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), DRAWS)
    found = {}
    for name, values in clip_figures(metric, observed).items():
        known = np.isfinite(values)
        weights = drawn[:, known].sum(axis=1)
        means = (drawn[:, known] @ values[known])[weights > 0] / weights[weights > 0]
        found[name] = _ends(means)
    return found


def _of_figures(metric: Metric, observed: Sequence[Observation], seed: int) -> Intervals:
    count, draws = len(observed), draws_of(metric, len(observed))
    drawn = np.random.default_rng(seed).integers(0, count, (draws, count))
    values: dict[str, list[float]] = {}
    for row in drawn:
        for name, value in metric_figures(metric, [observed[k] for k in row]).values.items():
            values.setdefault(name, []).append(value)
    return {name: _ends(np.array(each)) for name, each in values.items()}


def _ends(draws: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(draws, [LOW, HIGH])
    return float(low), float(high)


def all_clip_figures(metric: Metric, observed: Sequence[Observation]) -> Mapping[str, npt.NDArray[np.float64]]:
    """As `clip_figures`; none for a metric whose figures belong to no single clip."""
    return clip_figures(metric, observed) if isinstance(metric, PerClip) and observed else {}
