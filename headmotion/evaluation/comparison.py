"""Reports side by side; those whose protocols differ are not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from ..core.errors import EvaluationError
from ..core.files import atomic_output, write_text
from ..reports.page import page
from .report import Report, Result
from .tables import Table, remarks, table

TRUTH = "ground-truth"
"""The source that is shown beside what was evaluated."""
MISSING = "(none)"


@dataclass(frozen=True)
class Compared:
    """One metric that all reports share."""

    metric: str
    table: Table
    remarks: Sequence[tuple[str, str]]
    protocol: Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Reports side by side."""

    columns: tuple[str, ...]
    """What was evaluated in each."""
    metrics: Sequence[Compared]
    unshared: Mapping[str, Sequence[str]]
    """Metrics that only some of them have, by report."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the comparison as one HTML file; it appears whole or not at all.

        Raises:
            HeadmotionError: the packages of ``headmotion[report]`` are not installed.
        """
        text = page(__package__, "comparison.html", comparison=self)
        with atomic_output(path) as temporary:
            write_text(temporary, text)
        return Path(path)


def compare(paths: Sequence[str | os.PathLike[str]]) -> Comparison:
    """Put reports side by side, metric by metric.

    Args:
        paths: two or more, each a ``report.json`` or the folder that holds it.

    Raises:
        EvaluationError: one that cannot be read; fewer than two; protocols that differ in a metric that both have
            (which metric, in what, and both values are named); or no metric that all have.
    """
    if len(paths) < 2:
        raise EvaluationError("comparison", "two reports or more", str(len(paths)))
    reports = dict(zip(_titles(paths, found := [Report.load(path) for path in paths]), found, strict=True))
    for one, other in combinations(reports, 2):
        first, second = reports[one].metrics, reports[other].metrics
        for metric in (name for name in first if name in second):
            _check_same(metric, one, first[metric].protocol, other, second[metric].protocol)
    shared = [name for name in found[0].metrics if all(name in each.metrics for each in found)]
    if not shared:
        raise EvaluationError("comparison", "a metric that all reports have", "none")
    unshared = {title: [name for name in each.metrics if name not in shared] for title, each in reports.items()}
    return Comparison(
        tuple(reports),
        [_compared(name, reports) for name in shared],
        {title: names for title, names in unshared.items() if names},
    )


def _compared(metric: str, reports: Mapping[str, Report]) -> Compared:
    first = next(iter(reports.values())).metrics[metric]
    results: dict[str, Result] = {title: each.metrics[metric].results[each.main] for title, each in reports.items()}
    if TRUTH in first.results and not first.results[TRUTH].left_out:
        results[TRUTH] = first.results[TRUTH]  # the protocol says that it is the same in all
    return Compared(metric, table(first.better, results), remarks(results), first.protocol)


def _titles(paths: Sequence[str | os.PathLike[str]], reports: Sequence[Report]) -> list[str]:
    """What was evaluated; where two are called the same, where their reports are; else a number behind."""
    names = [str(each.subject["name"]) for each in reports]
    if len(set(names)) < len(names):
        names = [os.fspath(path) for path in paths]
    return names if len(set(names)) == len(names) else [f"{name} ({k})" for k, name in enumerate(names, 1)]


def _check_same(metric: str, one: str, first: Mapping[str, Any], other: str, second: Mapping[str, Any]) -> None:
    for key, (value, different) in _differences(first, second):
        raise EvaluationError(
            "comparison",
            f"reports with one protocol of {metric!r}",
            f"{key} {value!r} in {one} and {different!r} in {other}",
            "evaluate both in the same way",
        )


def _differences(
    first: Mapping[str, Any], second: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for key in sorted(first.keys() | second.keys()):
        one, other = first.get(key, MISSING), second.get(key, MISSING)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differences(one, other, f"{above}{key}.")
        elif one != other:
            yield f"{above}{key}", (one, other)
