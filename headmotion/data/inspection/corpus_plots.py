"""Plots of a corpus report as SVG pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...reports.page import COLOR, svg
from .loudness_offset import MAX_OFFSET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .corpus_report import CorpusReport

MAX_SPEAKERS = 30
MAX_GROUPS = 6


def corpus_plots(report: CorpusReport) -> Iterator[tuple[str, str]]:
    """Yield title and picture, as a data address, of every plot that the corpus has values for."""
    has_offsets = any(offset is not None for offset in report.offsets)
    has_curves = any(group.curve is not None for group in report.groups)
    plots: tuple[tuple[str, Callable[[CorpusReport, Axes], None], bool], ...] = (
        ("Length of clips", _draw_lengths, True),
        ("Speech per speaker", _draw_speakers, True),
        ("Motion", _draw_motion, True),
        ("Spread of openings", _draw_openings, bool(report.openings())),
        ("Loudness", _draw_levels, True),
        ("Silence", _draw_silence, True),
        ("Offset of audio and motion, clip by clip", _draw_offsets, has_offsets),
        ("Offset of audio and motion, by group", _draw_group_curves, has_curves),
    )
    for title, draw, has_values in plots:
        if has_values and report.clips:
            yield title, svg(partial(draw, report))


def _draw_lengths(report: CorpusReport, axes: Axes) -> None:
    axes.hist([clip.seconds for clip in report.clips], bins=30, color=COLOR)
    axes.set(xlabel="seconds", ylabel="clips")


def _draw_speakers(report: CorpusReport, axes: Axes) -> None:
    minutes = [row["hours"] * 60 for row in report.by("speaker").values()]
    shown = minutes[:MAX_SPEAKERS]
    axes.bar(range(1, len(shown) + 1), shown, color=COLOR)
    all_shown = len(minutes) <= MAX_SPEAKERS
    label = "speakers" if all_shown else f"the {MAX_SPEAKERS} of {len(minutes)} speakers with most speech"
    axes.set(xlabel=label, ylabel="minutes")


def _draw_motion(report: CorpusReport, axes: Axes) -> None:
    # A logarithmic axis has no place for 0.
    positive = {name: [value for value in values if value > 0] for name, values in report.motion().items()}
    groups = {name.replace("_", " "): values for name, values in positive.items() if values}
    if groups:
        values, names = list(groups.values()), list(groups)
        axes.boxplot(values, whis=(5, 95), sym="", orientation="horizontal", tick_labels=names)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    axes.invert_yaxis()
    axes.set(xlabel="root mean square speed, eye distances per second")


def _draw_openings(report: CorpusReport, axes: Axes) -> None:
    openings = report.openings()
    edges = np.linspace(0, max(np.percentile(values, 99) for values in openings.values()) * 1.05 + 1e-6, 31)
    for name, values in openings.items():
        axes.hist(np.minimum(values, edges[-1]), bins=edges.tolist(), histtype="step", label=name.replace("_", " "))
    axes.legend(frameon=False)
    axes.set(xlabel="5th to 95th percentile of the width, eye distances", ylabel="clips")


def _draw_levels(report: CorpusReport, axes: Axes) -> None:
    axes.hist([clip.audio.level_db for clip in report.clips], bins=30, color=COLOR)
    axes.set(xlabel="level, dB of full scale", ylabel="clips")


def _draw_silence(report: CorpusReport, axes: Axes) -> None:
    axes.hist([100 * clip.audio.silence for clip in report.clips], bins=list(range(0, 101, 5)), color=COLOR)
    axes.set(xlabel="silence, % of the clip", ylabel="clips")


def _draw_offsets(report: CorpusReport, axes: Axes) -> None:
    clear = [offset for offset in report.offsets if offset is not None]
    limit = max(MAX_OFFSET, round(max(map(abs, clear))))
    axes.hist(clear, bins=[frames - 0.5 for frames in range(-limit, limit + 2)], color=COLOR)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set(xlabel="frames; left: the audio is late", ylabel=f"clips ({len(clear)} of {len(report.clips)} are clear)")


def _draw_group_curves(report: CorpusReport, axes: Axes) -> None:
    groups = [group for group in report.groups if group.curve is not None]
    # The largest offsets first, because the plot is there to show them.
    for group in sorted(groups, key=lambda group: -abs(group.frames))[:MAX_GROUPS]:
        assert group.curve is not None
        axes.plot(range(-MAX_OFFSET, MAX_OFFSET + 1), group.curve, label=f"{group.name[:34]} ({group.frames:+g})")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.legend(frameon=False, fontsize=7)
    axes.set(xlabel="frames; left: the audio is late", ylabel="correlation")
