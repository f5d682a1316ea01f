"""Values with their intervals as tables of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .report import MetricReport, ReportedValue, SourceResult

ARROWS = {"lower": "\N{DOWNWARDS ARROW}", "higher": "\N{UPWARDS ARROW}"}
"""Signs for the better direction."""
EMPTY = "\N{EN DASH}"


@dataclass(frozen=True)
class Cell:
    """One value as text."""

    value: str
    interval: str = ""


@dataclass(frozen=True)
class Row:
    """One value of all columns."""

    name: str
    arrow: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Values by column."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def values_table(better: Mapping[str, str], columns: Mapping[str, SourceResult]) -> Table:
    """Return a table with a row for each value that some column has, and one for the number of clips.

    Args:
        better: the better direction of values that have one.
        columns: results by title.
    """
    results = list(columns.values())
    # A dict keeps the order in which metrics give their values.
    names = dict.fromkeys(name for result in results for name in result.values)
    rows = [
        Row(name, ARROWS.get(better.get(name, ""), ""), tuple(_cell(result.values.get(name)) for result in results))
        for name in names
    ]
    return Table(tuple(columns), (*rows, Row("clips", "", tuple(Cell(str(result.n)) for result in results))))


def source_table(metric: MetricReport) -> Table:
    """Return the values of all sources, except for those that the metric cannot measure."""
    measured = {name: result for name, result in metric.results.items() if not result.left_out}
    return values_table(metric.better, measured)


def collect_notes(results: Mapping[str, SourceResult]) -> list[tuple[str, str]]:
    """Return each note, including why nothing was measured, with the sources that have it."""
    sources: dict[str, list[str]] = {}
    for name, result in results.items():
        for note in (*result.notes, *filter(None, [result.left_out])):
            sources.setdefault(note, []).append(name)
    return [(", ".join(names), note) for note, names in sources.items()]


def _cell(value: ReportedValue | None) -> Cell:
    if value is None:
        return Cell(EMPTY)
    # A single clip has no interval.
    if value.low is None or value.high is None:
        return Cell(_format(value.value))
    return Cell(_format(value.value), f"{_format(value.low)} to {_format(value.high)}")


def _format(value: float) -> str:
    """Return three significant digits, without an exponent where that is readable."""
    return f"{value:.3g}" if value == 0 or 1e-4 <= abs(value) < 1e5 else f"{value:.2e}"
