"""Plots of a report's page: values over clips, curves of metrics, and trajectories of single clips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..core.errors import MotionError
from ..core.interfaces.metric import Plot, SupportsPlots
from ..core.interfaces.representation import Representation
from ..core.motion import Motion
from ..metrics.mouth_opening import opening_curve
from ..metrics.pose_curves import PoseCurves
from ..metrics.signals import Signal
from ..reports.page import svg
from .eval_clip import EvalClip
from .evaluator import Evaluation
from .intervals import values_by_clip
from .metric_selection import NamedMetric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVE_SOURCES = ("model", "motions", "ground-truth")
"""Sources whose curves are plotted; those of all baselines would fill the page."""
COLORS = ("#3b6ea8", "#c77700", "#2f8f5b")

TitledPicture = tuple[str, str]
"""Title and data address."""


def distributions(evaluation: Evaluation, item: NamedMetric) -> Iterator[TitledPicture]:
    """Yield a box plot of each value that single clips have, with one box per source."""
    by_source = {
        source.name: values_by_clip(item.metric, evaluation.observations[source.name, item.name].observations)
        for source in evaluation.sources
    }
    for name in dict.fromkeys(name for values in by_source.values() for name in values):
        defined = {
            source: values[name][np.isfinite(values[name])] for source, values in by_source.items() if name in values
        }
        # A source without any defined value has no box.
        boxes = {source: values for source, values in defined.items() if len(values)}
        if boxes:
            yield name, _box_plot(boxes, name)


def metric_curves(evaluation: Evaluation, item: NamedMetric) -> Iterator[TitledPicture]:
    """Yield the plots of a metric for the evaluated source and the ground truth."""
    if not isinstance(item.metric, SupportsPlots):
        return
    for source in evaluation.sources:
        observed = evaluation.observations[source.name, item.name].observations
        if source.name in CURVE_SOURCES and observed:
            for title, plot in item.metric.plots(observed).items():
                yield f"{title}: {source.name}", _line_plot(plot)


def trajectories(clip: EvalClip, motion: Motion, representation: Representation) -> Iterator[TitledPicture]:
    """Yield plots over time of one clip: mouth opening, rotation and translation; the real motion is dashed.

    Args:
        clip: gives the real motion.
        motion: the generated motion.
        representation: what both are in.
    """
    if representation.openings.get("mouth"):
        generated, real = (opening_curve(representation, m.values)[:, None] for m in (motion, clip.real))
        yield "Mouth opening", _trajectory_plot(("mouth",), generated, real, "distances of the scale pair", clip)
    pose = PoseCurves(representation)
    try:
        generated, real = (pose.measure(m, clip.real, "trajectory") for m in (motion, clip.real))
    except MotionError:  # a first frame whose pose is degenerate has no trajectory, but the page has a video
        return
    for unit, label in (("deg", "degrees"), ("scale", "distances of the scale pair")):
        columns = [k for k, axis_unit in enumerate(pose.units) if axis_unit == unit]
        names = tuple(pose.axes[k] for k in columns)
        # Translations start at the position in the picture, which says nothing.
        start = real[0, columns] if unit == "scale" else 0.0
        picture = _trajectory_plot(names, generated[:, columns] - start, real[:, columns] - start, label, clip)
        yield f"{'Head' if pose.is_face else 'All points'}: {', '.join(names)}", picture


def _box_plot(values: dict[str, npt.NDArray[np.float64]], label: str) -> str:
    def draw(axes: Axes) -> None:
        # Whiskers at the percentiles that the page names.
        axes.boxplot(list(values.values()), orientation="horizontal", tick_labels=list(values), whis=(5, 95), sym=".")
        axes.invert_yaxis()
        axes.set(xlabel=label)

    return svg(draw)


def _line_plot(plot: Plot) -> str:
    def draw(axes: Axes) -> None:
        for name, curve in plot.curves.items():
            axes.plot(curve.x, curve.y, label=name)
        if len(plot.curves) > 1:
            axes.legend(frameon=False, fontsize=7)
        axes.set(xlabel=plot.x_label, ylabel=plot.y_label)

    return svg(draw)


def _trajectory_plot(names: tuple[str, ...], generated: Signal, real: Signal, label: str, clip: EvalClip) -> str:
    def draw(axes: Axes) -> None:
        seconds = np.arange(len(generated)) / float(clip.real.fps)
        for k, name in enumerate(names):
            axes.plot(seconds, generated[:, k], color=COLORS[k], linewidth=1.2, label=name)
            axes.plot(seconds, real[:, k], color=COLORS[k], linewidth=1.0, linestyle="--", label=f"{name}, real")
        axes.legend(frameon=False, fontsize=7, ncols=len(names))
        axes.set(xlabel="seconds", ylabel=label)

    return svg(draw)
