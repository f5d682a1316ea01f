"""Reports side by side, if their protocols are the same."""

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
from .paired import paired_difference
from .report import Report, SourceResult
from .tables import Table, collect_notes, values_table

GROUND_TRUTH = "ground-truth"
"""The baseline that is shown next to the reports."""
MISSING = "(none)"
CLIPS = "clips_sha256"
"""The key of a protocol that stands for the clips."""


@dataclass(frozen=True)
class ComparedMetric:
    """One metric that all reports have."""

    metric: str
    table: Table
    differences: Table
    """Of the other reports from the first, over pairs of clips; without rows where no value is a mean over clips."""
    notes: Sequence[tuple[str, str]]
    protocol: Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Reports side by side."""

    columns: tuple[str, ...]
    """Title of each report."""
    metrics: Sequence[ComparedMetric]
    unshared: Mapping[str, Sequence[str]]
    """Metrics that only some reports have, by report."""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the comparison as one HTML file and return its path; it appears whole or not at all.

        Raises:
            HeadmotionError: the packages of ``headmotion[report]`` are not installed.
        """
        text = page(__package__, "comparison.html", comparison=self)
        with atomic_output(path) as temporary:
            write_text(temporary, text)
        return Path(path)


def compare(paths: Sequence[str | os.PathLike[str]]) -> Comparison:
    """Compare reports, metric by metric.

    Args:
        paths: two or more, each a ``report.json`` or the folder that holds it.

    Raises:
        EvaluationError: a report cannot be read; fewer than two reports; protocols that differ in a metric that both
            have (the error names the metric, the key and both values); or no metric that all have.
    """
    if len(paths) < 2:
        raise EvaluationError("comparison", "two reports or more", str(len(paths)))
    loaded = [Report.load(path) for path in paths]
    reports = dict(zip(_titles(paths, loaded), loaded, strict=True))
    # Every pair is checked, because two later reports may share a metric that the first lacks.
    for left, right in combinations(reports, 2):
        left_metrics, right_metrics = reports[left].metrics, reports[right].metrics
        for metric in (name for name in left_metrics if name in right_metrics):
            _check_same(metric, left, left_metrics[metric].protocol, right, right_metrics[metric].protocol)
    shared = [name for name in loaded[0].metrics if all(name in report.metrics for report in loaded)]
    if not shared:
        raise EvaluationError("comparison", "a metric that all reports have", "none")
    unshared = {title: [name for name in report.metrics if name not in shared] for title, report in reports.items()}
    return Comparison(
        tuple(reports),
        [_compare_metric(name, reports) for name in shared],
        {title: names for title, names in unshared.items() if names},
    )


def _compare_metric(metric: str, reports: Mapping[str, Report]) -> ComparedMetric:
    first = next(iter(reports.values())).metrics[metric]
    results: dict[str, SourceResult] = {
        title: report.metrics[metric].results[report.main] for title, report in reports.items()
    }
    if GROUND_TRUTH in first.results and not first.results[GROUND_TRUTH].left_out:
        results[GROUND_TRUTH] = first.results[GROUND_TRUTH]  # the same in all reports, by the protocol
    table, notes = values_table(first.better, results), collect_notes(results)
    return ComparedMetric(metric, table, _differences_from_first(metric, reports), notes, first.protocol)


def _differences_from_first(metric: str, reports: Mapping[str, Report]) -> Table:
    (_, first), *others = reports.items()
    own = first.metrics[metric].results[first.main]
    differences = {
        title: paired_difference(own, report.metrics[metric].results[report.main], first.seed)
        for title, report in others
    }
    if not any(difference.values for difference in differences.values()):
        return Table(tuple(differences), ())
    return values_table(first.metrics[metric].better, differences)


def _titles(paths: Sequence[str | os.PathLike[str]], reports: Sequence[Report]) -> list[str]:
    """Return the names of what was evaluated; the paths where two names are the same; numbered if those are too."""
    names = [str(report.subject["name"]) for report in reports]
    if len(set(names)) < len(names):
        names = [os.fspath(path) for path in paths]
    return names if len(set(names)) == len(names) else [f"{name} ({k})" for k, name in enumerate(names, 1)]


def _check_same(
    metric: str, left: str, left_protocol: Mapping[str, Any], right: str, right_protocol: Mapping[str, Any]
) -> None:
    for key, (left_value, right_value) in _differences(left_protocol, right_protocol):
        got, remedy = f"{key} {left_value!r} in {left} and {right_value!r} in {right}", "evaluate both in the same way"
        if key == CLIPS:  # a digest says nothing to a reader
            counts = [protocol.get("n", "unknown") for protocol in (left_protocol, right_protocol)]
            got = f"other clips in {left} than in {right} ({counts[0]} and {counts[1]})"
            remedy = "evaluate both on the same clips of the same corpus"
        raise EvaluationError("comparison", f"reports with one protocol of {metric!r}", got, remedy)


def _differences(
    left: Mapping[str, Any], right: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for key in sorted(left.keys() | right.keys()):
        left_value, right_value = left.get(key, MISSING), right.get(key, MISSING)
        # Down to single keys, so that the error names what differs and not a whole spec.
        if isinstance(left_value, Mapping) and isinstance(right_value, Mapping):
            yield from _differences(left_value, right_value, f"{prefix}{key}.")
        elif left_value != right_value:
            yield f"{prefix}{key}", (left_value, right_value)
