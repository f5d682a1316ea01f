"""Tables in Markdown: means over clips, with intervals by a bootstrap over clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .measures import Values

DRAWS = 2000
"""Bootstrap draws."""


class Interval(NamedTuple):
    """A mean over clips with its 95 % percentile interval."""

    mean: float
    low: float
    high: float
    clips: int

    def __str__(self) -> str:
        return f"{self.mean:.3g} ({self.low:.3g} to {self.high:.3g})"


def interval(values: Sequence[float]) -> Interval | None:
    """Return the mean of clips with its interval; None without values."""
    if not values:
        return None
    clips = np.array(values)
    draws = np.random.default_rng(0).integers(0, len(clips), (DRAWS, len(clips)))
    low, high = np.percentile(clips[draws].mean(1), [2.5, 97.5])
    return Interval(float(clips.mean()), float(low), float(high), len(clips))


def rows(by_method: Mapping[str, Sequence[Values]], columns: Sequence[str]) -> dict[str, dict[str, Interval | None]]:
    """Return the interval of each method and column."""
    return {
        name: {column: interval([clip[column] for clip in clips if column in clip]) for column in columns}
        for name, clips in by_method.items()
    }


def differences(clips: Sequence[Values], baseline: Sequence[Values]) -> list[Values]:
    """Return by how much the values of clips are above those of a baseline, clip by clip."""
    return [
        {column: value - before[column] for column, value in clip.items() if column in before}
        for clip, before in zip(clips, baseline, strict=True)
    ]


def markdown(intervals: Mapping[str, Mapping[str, Interval | None]]) -> list[str]:
    """Return the lines of a table."""
    columns = list(next(iter(intervals.values())))
    lines = [f"| | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    for name, cells in intervals.items():
        lines.append(f"| {name} | {' | '.join('-' if cell is None else str(cell) for cell in cells.values())} |")
    return [*lines, ""]
