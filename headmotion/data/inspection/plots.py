"""The figures of a report as SVG pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...reports.svg import COLOR, svg
from .loudness_offset import REACH
from .report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPEAKERS = 30
GROUPS = 6


def plots(report: Report) -> Iterator[tuple[str, str]]:
    """Title and picture, as a data address, of every plot that the corpus has figures for."""
    drawn: tuple[tuple[str, Callable[[Axes, Report], None], bool], ...] = (
        ("Length of clips", _lengths, True),
        ("Speech per speaker", _speakers, True),
        ("Motion", _motion, True),
        ("Spread of openings", _openings, bool(report.openings())),
        ("Loudness", _levels, True),
        ("Silence", _silence, True),
        ("Offset of audio and motion, clip by clip", _offsets, any(each is not None for each in report.offsets)),
        ("Offset of audio and motion, by group", _curves, any(each.curve is not None for each in report.groups)),
    )
    for title, draw, wanted in drawn:
        if wanted and report.clips:
            yield title, svg(_of(draw, report))


def _of(draw: Callable[[Axes, Report], None], report: Report) -> Callable[[Axes], None]:
    return lambda axes: draw(axes, report)


def _lengths(axes: Axes, report: Report) -> None:
    axes.hist([each.seconds for each in report.clips], bins=30, color=COLOR)
    axes.set(xlabel="seconds", ylabel="clips")


def _speakers(axes: Axes, report: Report) -> None:
    hours = [each["hours"] * 60 for each in report.by("speaker").values()]
    axes.bar(range(1, len(hours[:SPEAKERS]) + 1), hours[:SPEAKERS], color=COLOR)
    shown = f"the {SPEAKERS} of {len(hours)} speakers with most speech" if len(hours) > SPEAKERS else "speakers"
    axes.set(xlabel=shown, ylabel="minutes")


def _motion(axes: Axes, report: Report) -> None:
    motion = {name: [v for v in values if v > 0] for name, values in report.motion().items()}
    known = {name: values for name, values in motion.items() if values}
    if known:
        names = [name.replace("_", " ") for name in known]
        axes.boxplot(list(known.values()), whis=(5, 95), sym="", orientation="horizontal", tick_labels=names)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    axes.invert_yaxis()
    axes.set(xlabel="root mean square speed, eye distances per second")


def _openings(axes: Axes, report: Report) -> None:
    openings = report.openings()
    edges = np.linspace(0, max(np.percentile(values, 99) for values in openings.values()) * 1.05 + 1e-6, 31)
    for name, values in openings.items():
        axes.hist(np.minimum(values, edges[-1]), bins=edges.tolist(), histtype="step", label=name.replace("_", " "))
    axes.legend(frameon=False)
    axes.set(xlabel="5th to 95th percentile of the width, eye distances", ylabel="clips")


def _levels(axes: Axes, report: Report) -> None:
    axes.hist([each.sound.level_db for each in report.clips], bins=30, color=COLOR)
    axes.set(xlabel="level, dB of full scale", ylabel="clips")


def _silence(axes: Axes, report: Report) -> None:
    axes.hist([100 * each.sound.silence for each in report.clips], bins=list(range(0, 101, 5)), color=COLOR)
    axes.set(xlabel="silence, % of the clip", ylabel="clips")


def _offsets(axes: Axes, report: Report) -> None:
    known = [each for each in report.offsets if each is not None]
    reach = max(REACH, round(max(map(abs, known))))
    axes.hist(known, bins=[each - 0.5 for each in range(-reach, reach + 2)], color=COLOR)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set(xlabel="frames; left: the audio is late", ylabel=f"clips ({len(known)} of {len(report.clips)} are clear)")


def _curves(axes: Axes, report: Report) -> None:
    heard = [each for each in report.groups if each.curve is not None]
    # Those that are apart first: they are what the plot is for.
    for group in sorted(heard, key=lambda each: -abs(each.frames))[:GROUPS]:
        assert group.curve is not None
        axes.plot(range(-REACH, REACH + 1), group.curve, label=f"{group.name[:34]} ({group.frames:+g})")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.legend(frameon=False, fontsize=7)
    axes.set(xlabel="frames; left: the audio is late", ylabel="correlation")
