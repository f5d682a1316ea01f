"""How figures are spread over clips, and the curves that metrics have to show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..core.interfaces.metric import Plot, SupportsPlots
from ..reports.page import svg
from .evaluator import Evaluation
from .intervals import all_clip_figures
from .observe import Measuring

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_CURVES = ("model", "motions", "ground-truth")
"""Sources whose curves are shown."""


def distributions(found: Evaluation, each: Measuring) -> Iterator[tuple[str, str]]:
    """Name and box plot, one box per source, of the figures that single clips have."""
    by_source = {
        source.name: all_clip_figures(each.metric, found.observations[source.name, each.name].observations)
        for source in found.sources
    }
    names = dict.fromkeys(name for figures in by_source.values() for name in figures)
    for name in names:
        values = {
            source: known
            for source, figures in by_source.items()
            if len(known := figures.get(name, np.zeros(0))[np.isfinite(figures.get(name, np.zeros(0)))])
        }
        if values:
            yield name, _boxes(values, name)


def curves(found: Evaluation, each: Measuring) -> Iterator[tuple[str, str]]:
    """Title and picture of what the metric has to show."""
    if not isinstance(each.metric, SupportsPlots):
        return
    for source in found.sources:
        observed = found.observations[source.name, each.name].observations
        if source.name in SHOWN_CURVES and observed:
            for title, plot in each.metric.plots(observed).items():
                yield f"{title}: {source.name}", _lines(plot)


def _boxes(values: dict[str, npt.NDArray[np.float64]], label: str) -> str:
    def draw(axes: Axes) -> None:
        axes.boxplot(list(values.values()), orientation="horizontal", tick_labels=list(values), whis=(5, 95), sym=".")
        axes.invert_yaxis()
        axes.set(xlabel=label)

    return svg(draw)


def _lines(plot: Plot) -> str:
    def draw(axes: Axes) -> None:
        for name, curve in plot.curves.items():
            axes.plot(curve.x, curve.y, label=name)
        if len(plot.curves) > 1:
            axes.legend(frameon=False, fontsize=7)
        axes.set(xlabel=plot.x_label, ylabel=plot.y_label)

    return svg(draw)
