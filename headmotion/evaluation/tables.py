"""Figures with their intervals as rows of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .report import Measured, Result, Value

ARROWS = {"lower": "\N{DOWNWARDS ARROW}", "higher": "\N{UPWARDS ARROW}"}
"""Which way is better."""
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class Cell:
    """One number as text."""

    value: str
    interval: str = ""


@dataclass(frozen=True)
class Row:
    """One figure."""

    figure: str
    arrow: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Figures by column."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def table(better: Mapping[str, str], columns: Mapping[str, Result]) -> Table:
    """A row for each figure that some column has, and one for the number of clips."""
    results = list(columns.values())
    names = dict.fromkeys(name for result in results for name in result.values)
    rows = [
        Row(name, ARROWS.get(better.get(name, ""), ""), tuple(_cell(each.values.get(name)) for each in results))
        for name in names
    ]
    return Table(tuple(columns), (*rows, Row("clips", "", tuple(Cell(str(each.n)) for each in results))))


def by_source(measured: Measured) -> Table:
    """What was evaluated and all baselines, less those of which the metric can say nothing."""
    return table(measured.better, {name: each for name, each in measured.results.items() if not each.left_out})


def remarks(results: Mapping[str, Result]) -> list[tuple[str, str]]:
    """Each remark (notes, and why nothing could be measured) behind the sources that it is about."""
    about: dict[str, list[str]] = {}
    for name, result in results.items():
        for remark in (*result.notes, *filter(None, [result.left_out])):
            about.setdefault(remark, []).append(name)
    return [(", ".join(names), remark) for remark, names in about.items()]


def _cell(value: Value | None) -> Cell:
    if value is None:
        return Cell(NOTHING)
    if value.low is None or value.high is None:
        return Cell(_number(value.value))
    return Cell(_number(value.value), f"{_number(value.low)} to {_number(value.high)}")


def _number(value: float) -> str:
    """Three figures, without an exponent where that is readable."""
    return f"{value:.3g}" if value == 0 or 1e-4 <= abs(value) < 1e5 else f"{value:.2e}"
