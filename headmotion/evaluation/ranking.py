"""The best and the worst clips by a value that single clips have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.errors import EvaluationError
from ..core.interfaces.metric import PerClip
from .intervals import values_by_clip
from .metric_selection import NamedMetric
from .observe import SourceObservations

DEFAULT_RANK = "opening.correlation"
"""The value to rank by where none is requested and this one is measured."""
CLIPS_PER_END = 2


@dataclass(frozen=True)
class RankedClip:
    """A clip at the top or the bottom of the ranking."""

    title: str
    clip: str
    value: float


def check_rank(metrics: Sequence[NamedMetric], rank: str | None) -> str:
    """Return the value to rank by, ``METRIC.VALUE``; empty where no value of single clips has a better direction.

    Args:
        metrics: those that are measured.
        rank: the requested value; None for the default.

    Raises:
        EvaluationError: clips cannot be ranked by the requested value.
    """
    names = [
        f"{item.name}.{name}" for item in metrics if isinstance(item.metric, PerClip) for name in item.metric.better
    ]
    if rank is not None and rank not in names:
        raise EvaluationError("evaluation", f"a value to rank clips by: {', '.join(names) or '(none)'}", repr(rank))
    return rank or (DEFAULT_RANK if DEFAULT_RANK in names else next(iter(names), ""))


def rank_clips(item: NamedMetric, name: str, source: SourceObservations) -> list[RankedClip]:
    """Return the best clips, best first, followed by the worst, worst last.

    Args:
        item: the metric.
        name: the value to rank by, which has a better direction.
        source: observations of the metric.
    """
    values = values_by_clip(item.metric, source.observations).get(name, np.zeros(0))
    # Stable, so that clips with equal values keep their order in every run.
    order = [int(k) for k in np.argsort(values, kind="stable") if np.isfinite(values[k])]
    if item.metric.better[name] == "higher":
        order.reverse()
    best = min(CLIPS_PER_END, len(order))
    # With few clips, none is shown both as best and as worst.
    ranks = [*range(best), *range(max(len(order) - CLIPS_PER_END, best), len(order))]
    titles = [f"{_ordinal(k)}best" if k < best else f"{_ordinal(len(order) - 1 - k)}worst" for k in ranks]
    clips = [order[k] for k in ranks]
    return [RankedClip(title, source.clips[k], float(values[k])) for title, k in zip(titles, clips, strict=True)]


def _ordinal(rank: int) -> str:
    return "" if rank == 0 else "second "
