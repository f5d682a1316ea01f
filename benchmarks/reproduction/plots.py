"""Plots of docs/results.md, as SVGs whose bytes depend on the metrics alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from .experiments import GeneratorRun
from .motion_metrics import FIGURES, SCALES
from .run_metrics import RunValues, interval

RunsByVariant = Mapping[str, Sequence[tuple[GeneratorRun, RunValues]]]
"""Runs and their metrics by variant."""
LEVEL_MS = (200, 400, 800, 1600)
"""Length of a window of each level."""
ROWS = ("confidence", "distance", "offset")
COLORS = ("#0b6e99", "#d9730d", "#9b2f6a", "#4d7f1c", "#555555")


@contextmanager
def figure_file(target: Path, rows: int, columns: int, size: tuple[float, float], **options: Any) -> Iterator[Any]:
    """Yield axes ``[rows, columns]``, and write the figure on exit."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "headmotion", "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False, **options)
    yield axes
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=6, frameon=False)
    for axis in axes.flat:
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, metadata={"Date": None})
    pyplot.close(figure)


def synchrony(target: Path, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
    """Plot metrics of synchrony over the steps of training, one column per level and one thin line per seed."""
    recorded, wrong = recordings.table("synchrony")[0].mean(0), recordings.table("wrong").mean(0)
    with figure_file(target, len(ROWS), len(recorded), (10, 6.5), sharex=True) as axes:
        for row, name in enumerate(ROWS):
            for level in range(len(recorded)):
                axis, figure = axes[row, level], FIGURES.index(name)
                axis.axhline(recorded[level, figure], color="black", linestyle="--", linewidth=1, label="recordings")
                axis.axhline(wrong[level, figure], color="black", linestyle=":", linewidth=1, label="other speech")
                for color, (variant, runs) in zip(COLORS, runs_by_variant.items(), strict=False):
                    marks = runs[0][0].marks
                    curves = np.array([values.table("synchrony")[:, :, level, figure].mean(1) for _, values in runs])
                    axis.plot(marks, curves.T, color=color, linewidth=0.6, alpha=0.5)
                    axis.plot(
                        marks, curves.mean(0), color=color, linewidth=1.8, marker="o", markersize=3, label=variant
                    )
                if not row:
                    axis.set_title(f"level {level}: windows of {LEVEL_MS[level]} ms")
            axes[row, 0].set_ylabel({"offset": "size of offset, frames of the level"}.get(name, name))
        for axis in axes[-1]:
            axis.set_xlabel("steps of the generator")


def causes(target: Path, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
    """Plot the correlation with what caused the recorded motion, at each time scale."""
    recorded = recordings.table("followed").mean(0)
    with figure_file(target, 1, 1, (7, 3)) as axes:
        axis, width = axes[0, 0], 0.8 / len(runs_by_variant)
        for number, (variant, runs) in enumerate(runs_by_variant.items()):
            own, wrong = (
                np.array([values.table(name) for _, values in runs]) for name in ("followed", "followed_wrong")
            )
            for scale in range(len(SCALES)):
                middle, value = scale + (number - (len(runs_by_variant) - 1) / 2) * width, interval(own[:, :, scale])
                label = {"label": variant} if not scale else {}
                axis.bar(middle, value.mean, width, color=COLORS[number], **label)
                axis.vlines(middle, value.low, value.high, color="black", linewidth=1)
                axis.hlines(
                    wrong[:, :, scale].mean(), middle - width / 2, middle + width / 2, color="black", linestyle=":"
                )
        for scale, value in enumerate(recorded):
            label = {"label": "recordings"} if not scale else {}
            axis.hlines(value, scale - 0.4, scale + 0.4, color="black", linestyle="--", linewidth=1, **label)
        axis.set_xticks(range(len(SCALES)), ["lips (0.1 s)", "nods (0.3 s)", "posture (1 to 2 s)"])
        axis.set_ylabel("correlation with the cause")


def drift(target: Path, runs_by_variant: RunsByVariant) -> None:
    """Plot the distance of poses from recorded ones over time."""
    with figure_file(target, 1, 1, (7, 3)) as axes:
        axis = axes[0, 0]
        for color, (variant, runs) in zip(COLORS, runs_by_variant.items(), strict=False):
            stored = [values.values["drift"] for _, values in runs]
            curves, step = np.array([values["generated"] for values in stored]), stored[0]["seconds"]
            time = (np.arange(curves.shape[1]) + 0.5) * step
            axis.plot(time, curves.T, color=color, linewidth=0.6, alpha=0.5)
            axis.plot(time, curves.mean(0), color=color, linewidth=1.8, label=variant)
        axis.plot(time, stored[0]["recorded"], color="black", linestyle="--", linewidth=1, label="recordings")
        axis.set(xlabel="seconds", ylabel="distance from recordings, %", yscale="log")


def sync_weights(target: Path, runs_by_variant: RunsByVariant, recordings: RunValues) -> None:
    """Plot synchrony, spread and jitter of motion by the weight of the sync loss."""
    weights = [float(variant) for variant in runs_by_variant]
    rows = range(len(weights))
    recorded = recordings.table("synchrony")[0].mean(0)[:, FIGURES.index("confidence")]
    with figure_file(target, 1, 2, (9, 3)) as axes:
        for level in range(len(recorded)):
            tables = [
                [values.table("synchrony")[-1, :, level, 0] for _, values in runs] for runs in runs_by_variant.values()
            ]
            intervals = [interval(np.array(table)) for table in tables]
            spans = np.array([[value.mean - value.low, value.high - value.mean] for value in intervals]).T
            means = [value.mean for value in intervals]
            axes[0, 0].errorbar(rows, means, spans, color=COLORS[level], capsize=2, label=f"level {level}")
            axes[0, 0].axhline(recorded[level], color=COLORS[level], linestyle="--", linewidth=0.8)
        for number, name in enumerate(("spread", "jitter")):
            ratios = [
                np.array([values.table("moved")[:, number] for _, values in runs]) for runs in runs_by_variant.values()
            ]
            axes[0, 1].plot(rows, [np.median(table) for table in ratios], marker="o", color=COLORS[number], label=name)
        axes[0, 1].axhline(1, color="black", linestyle="--", linewidth=1, label="recordings")
        axes[0, 0].set_ylabel("confidence")
        axes[0, 1].set_ylabel("over that of recordings")
        axes[0, 1].legend(frameon=False)
        for axis in axes.flat:
            axis.set_xticks(rows, [f"{weight:g}" for weight in weights])
            axis.set_xlabel("weight of the sync loss")
