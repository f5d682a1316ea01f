"""Which clips went best and worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import EvaluationError
from ..core.interfaces.metric import PerClip
from .intervals import all_clip_figures
from .observe import Measuring

if TYPE_CHECKING:
    from .evaluator import Evaluation

FAVORITE = "opening.correlation"
"""What clips are ranked by unless somebody says otherwise, where it is measured."""
SHOWN = 2
"""Clips at each end."""


@dataclass(frozen=True)
class Ranked:
    """One clip at an end of the ranking."""

    title: str
    clip: str
    value: float


def check_rank(metrics: Sequence[Measuring], rank: str | None) -> str:
    """The figure to rank by: ``rank``, or what is usual; "" where no figure of single clips has a good end.

    Raises:
        EvaluationError: clips cannot be ranked by what is asked for.
    """
    able = [each for each in metrics if isinstance(each.metric, PerClip)]
    known = [f"{each.name}.{figure}" for each in able for figure in each.metric.better]
    if rank is not None and rank not in known:
        raise EvaluationError("evaluation", f"a figure to rank clips by: {', '.join(known) or '(none)'}", repr(rank))
    return rank or (FAVORITE if FAVORITE in known else next(iter(known), ""))


def ranked(found: Evaluation) -> list[Ranked]:
    """The best and the worst clips, best first; none where nothing has a good end."""
    if not found.rank:
        return []
    name, figure = found.rank.rsplit(".", 1)
    metric = next(each for each in found.metrics if each.name == name)
    observed = found.observations[found.sources[0].name, name]
    values = all_clip_figures(metric.metric, observed.observations).get(figure, np.zeros(0))
    order = [int(k) for k in np.argsort(values, kind="stable") if np.isfinite(values[k])]
    if metric.metric.better[figure] == "higher":
        order.reverse()
    count = min(SHOWN, len(order))
    places = [*range(count), *range(max(len(order) - SHOWN, count), len(order))]
    titles = [f"{_nth(k)}best" if k < count else f"{_nth(len(order) - 1 - k)}worst" for k in places]
    shown = zip(titles, (order[k] for k in places), strict=True)
    return [Ranked(title, observed.clips[k], float(values[k])) for title, k in shown]


def _nth(place: int) -> str:
    return "" if place == 0 else "second "
