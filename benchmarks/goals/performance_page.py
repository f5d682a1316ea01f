"""The goals as a section of docs/performance.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from .goal_list import GOALS
from .timing import Measurement

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
WAITS = "Where users wait"
"""Title of the section that `benchmarks.waits` writes."""
RESULTS = Path(__file__).parents[2] / "runs" / "goals.json"
"""The latest measurements; what is not among them keeps its row of the page."""


def store(name: str, measurement: Measurement) -> None:
    """Add a measurement to the results, in place of an earlier one of the same goal."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(_stored() | {name: asdict(measurement)}, indent=1) + "\n", "utf-8")


def _stored() -> dict[str, dict[str, object]]:
    return dict(json.loads(RESULTS.read_text("utf-8"))) if RESULTS.exists() else {}


def row(name: str, measurement: Measurement) -> str:
    """Return a line of the table."""
    value, verdict = f"{measurement.value:.3g} {measurement.unit}", GOALS[name].verdict(measurement.value)
    return f"{_bounds(name)} {value} | {verdict} | {measurement.note} |"


def _bounds(name: str) -> str:
    """Return how the line of a goal begins, which no other one's does."""
    goal = GOALS[name]
    return f"| {goal.title} | {goal.enough:g} | {goal.aim:g} |"


def update(page: Path = PAGE) -> None:
    """Write the results as the last section of a page that `benchmarks.run` has written."""
    if page.exists():
        before, _, _ = page.read_text("utf-8").partition("\n## Goals\n")
        page.write_text("\n".join([before.rstrip(), *section(page)]) + "\n", "utf-8")


def replace_section(title: str, lines: list[str], page: Path = PAGE) -> None:
    """Write a section ahead of that of the goals, in place of an earlier one of this title."""
    text = page.read_text("utf-8")
    before, _, goals = text.partition("\n## Goals\n")
    before = before.partition(f"\n## {title}\n")[0]
    parts = [before.rstrip(), "", f"## {title}", "", *lines, *(["", "## Goals", goals.rstrip()] if goals else [])]
    page.write_text("\n".join(parts) + "\n", "utf-8")


def retained_section(title: str, page: Path = PAGE) -> list[str]:
    """Return the lines of a section of the page; none if it has no such section."""
    _, heading, remainder = page.read_text("utf-8").partition(f"\n## {title}\n") if page.exists() else ("", "", "")
    return ["", f"## {title}", *remainder.partition("\n## ")[0].rstrip().split("\n")] if heading else []


def section(page: Path = PAGE) -> Iterator[str]:
    """Yield the lines of the section: heading, explanation and a table of every goal that was ever measured."""
    yield from ("", "## Goals", "", INTRODUCTION, "")
    yield from ("| what | reach | aim for | measured | | note |", "|---|---|---|---|---|---|")
    stored, earlier = _stored(), "\n".join(retained_section("Goals", page)).split("\n")
    for name in GOALS:
        if name in stored:
            yield row(name, Measurement(**stored[name]))  # type: ignore[arg-type]
        else:
            yield from (line for line in earlier if line.startswith(_bounds(name)))


INTRODUCTION = """\
Measured by `python -m benchmarks.goals` (one by name: `python -m benchmarks.goals push`). Each goal has a process of
its own. Ratios are of medians, with all cases in turns. The baseline (`benchmarks/goals/baseline_networks.py`) is a
network of the structure that the authors of MS-Sync published, 512 wide, in plain modules; with the same weights it
gives the same motion, which a test shows. The floor is the chain of bare matrix products of one frame. Growth of
memory is the slope over some minutes.

**Memory kept.** By default glibc returns large blocks to the system and requests them again, which costs plain
modules up to half of their time. Generation is therefore compared twice, each network in processes of its own: with
the default, which is what a user gets, and with freed memory kept (`MALLOC_MMAP_MAX_=0`, `MALLOC_TRIM_THRESHOLD_`,
`MALLOC_TOP_PAD_`), which compares the networks alone. The verdict is by the former, the note has both. All other
goals but those of memory are measured with memory kept.

There are no measurements of a GPU, because none was available; `python -m benchmarks.gpu` measures one.

![Cost against work](images/scaling.svg)"""
