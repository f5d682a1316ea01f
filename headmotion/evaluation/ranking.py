"""Which clips went best and worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.errors import EvaluationError
from .intervals import all_clip_figures
from .measuring import Evaluation

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


def figures_with_an_end(found: Evaluation) -> list[str]:
    """``METRIC.FIGURE`` of all figures of single clips that have a good end."""
    return [f"{each.name}.{figure}" for each in found.metrics for figure in each.better]


def ranked(found: Evaluation, rank: str | None) -> tuple[str, list[Ranked]]:
    """The figure, and the best and the worst clips by it, best first; "" and none where nothing has a good end.

    Raises:
        EvaluationError: the figure that is asked for is none that clips can be ranked by.
    """
    known = figures_with_an_end(found)
    if rank is not None and rank not in known:
        raise EvaluationError("evaluation", f"a figure to rank clips by: {', '.join(known) or '(none)'}", repr(rank))
    if not known:
        return "", []
    chosen = rank or (FAVORITE if FAVORITE in known else known[0])
    name, figure = chosen.rsplit(".", 1)
    metric = next(each for each in found.metrics if each.name == name)
    observed = found.observations[found.sources[0].name, name]
    values = all_clip_figures(metric.metric, observed.observations).get(figure, np.zeros(0))
    order = [int(k) for k in np.argsort(values, kind="stable") if np.isfinite(values[k])]
    if metric.better[figure] == "higher":
        order.reverse()
    count = min(SHOWN, len(order))
    places = [*range(count), *range(max(len(order) - SHOWN, count), len(order))]
    titles = [f"{_nth(k)}best" if k < count else f"{_nth(len(order) - 1 - k)}worst" for k in places]
    shown = zip(titles, (order[k] for k in places), strict=True)
    return chosen, [Ranked(title, observed.clips[k], float(values[k])) for title, k in shown]


def _nth(place: int) -> str:
    return "" if place == 0 else "second "
