"""An evaluation as one HTML file that needs no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..reports.page import page as rendered
from .evaluator import Evaluation
from .observe import Measuring
from .plots import curves, distributions
from .ranking import Ranked, ranked
from .report import Measured
from .tables import Table, by_source, remarks
from .trajectories import trajectories
from .videos import video

Picture = tuple[str, str]
"""Title and data address."""


@dataclass(frozen=True)
class Section:
    """One metric."""

    name: str
    measured: Measured
    table: Table
    remarks: Sequence[tuple[str, str]]
    curves: Sequence[Picture]
    distributions: Sequence[Picture]


@dataclass(frozen=True)
class Shown:
    """One clip."""

    ranked: Ranked
    video: str
    plots: Sequence[Picture]


def page(found: Evaluation) -> str:
    """The HTML of an evaluation.

    Raises:
        HeadmotionError: a package is missing.
    """
    return rendered(
        __package__,
        "page.html",
        report=found.report,
        sections=[_section(found, each) for each in found.metrics],
        rank=found.rank,
        shown=[_shown(found, end) for end in ranked(found)],
    )


def _section(found: Evaluation, each: Measuring) -> Section:
    measured = found.report.metrics[each.name]
    pictures = list(curves(found, each)), list(distributions(found, each))
    return Section(each.name, measured, by_source(measured), remarks(measured.results), *pictures)


def _shown(found: Evaluation, end: Ranked) -> Shown:
    case, representation = found.clips.named(end.clip), found.clips.representation
    motion = found.sources[0].motion(case)
    plots = list(trajectories(case, motion, representation))
    return Shown(end, video(case, motion, representation), plots)
