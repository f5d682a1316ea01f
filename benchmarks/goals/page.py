"""The goals as a section of docs/performance.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from .measuring import Figure
from .table import GOALS

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
RESULTS = Path(__file__).parents[2] / "runs" / "goals.json"
"""Figures by goal, the latest of each."""


def keep(name: str, figure: Figure) -> None:
    """Write a figure among those that are there."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(_kept() | {name: asdict(figure)}, indent=1) + "\n", "utf-8")


def _kept() -> dict[str, dict[str, object]]:
    return dict(json.loads(RESULTS.read_text("utf-8"))) if RESULTS.exists() else {}


def row(name: str, figure: Figure) -> str:
    """A line of the table."""
    goal = GOALS[name]
    value = f"{figure.value:.3g} {figure.unit}"
    return f"| {goal.what} | {goal.reach:g} | {goal.aim:g} | {value} | {goal.verdict(figure.value)} | {figure.note} |"


def renew(page: Path = PAGE) -> None:
    """Put the figures that are kept into a page that `benchmarks.run` has written; they are its last section."""
    if page.exists():
        before, _, _ = page.read_text("utf-8").partition("\n## Goals\n")
        page.write_text("\n".join([before.rstrip(), *section()]) + "\n", "utf-8")


def section() -> Iterator[str]:
    """Heading, explanation and table of every goal that was measured."""
    yield from ("", "## Goals", "", INTRODUCTION, "")
    yield from ("| what | reach | aim for | measured | | note |", "|---|---|---|---|---|---|")
    kept = _kept()
    for name in GOALS:
        if name in kept:
            yield row(name, Figure(**kept[name]))  # type: ignore[arg-type]


INTRODUCTION = """\
Measured by `python -m benchmarks.goals` (one by name: `python -m benchmarks.goals push`). Each goal has a process of
its own. Ratios are of medians, all cases in turns. The yardstick (`benchmarks/goals/baseline_networks.py`) is a network
of the structure that the authors of MS-Sync published, 512 wide, in plain modules; with the same weights it gives the
same motion, which a test shows. The floor is the chain of bare matrix products of one frame. Growth of memory is the
slope over some minutes.

**Memory kept.** As a process starts by default, glibc gives large blocks back to the system and asks for them anew,
which costs plain modules up to half of their time. What is generated is therefore compared twice, each network in
processes of its own: as they start, which is what a user gets, and with memory kept (`MALLOC_MMAP_MAX_=0`,
`MALLOC_TRIM_THRESHOLD_`, `MALLOC_TOP_PAD_`), which leaves the networks alone to differ. The verdict
is by the former, the note has both. All other goals but those of memory are measured with memory kept.

There are no figures of a GPU, for none was at hand; `python -m benchmarks.gpu` measures one.

![Cost against work](images/scaling.svg)"""
