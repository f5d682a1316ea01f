"""A model or motions, and baselines, through the same metrics."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

import headmotion

from ..core.errors import EvaluationError, HeadmotionError
from ..core.interfaces.specs import BuildContext
from ..core.plugins import registry
from .aggregate import measured_by, told
from .baselines import BASELINES, make_baselines
from .baselines.context import Setting
from .eval_clip import Case
from .eval_split import Clips, open_clips
from .metric_selection import MetricLike, chosen_metrics
from .model import Model, load_model
from .motion_folder import MotionFiles, representation_in
from .motion_source import Source
from .observe import Amount, Measuring, Observations, observe
from .ranking import check_rank
from .report import Report, Skipped
from .request import Wanted

LONG_CLIPS = 20
"""Clips whose speech is continued, for metrics that look at long motion."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A report, and all that it was made from."""

    report: Report
    clips: Clips
    sources: Sequence[Source]
    """What is evaluated, then baselines."""
    metrics: Sequence[Measuring]
    observations: Observations
    rank: str
    """``METRIC.FIGURE`` by which clips are best and worst; "" where there is none."""


def evaluation(wanted: Wanted, metrics: Sequence[MetricLike] | None, device: str, quiet: bool) -> Evaluation:
    """Measure all that is wanted.

    Raises:
        HeadmotionError: see `evaluate`.
    """
    subject, clips, main, context = _opened(wanted, device)
    setting = Setting(clips, main if isinstance(main, Model) else None)
    baselines, baselines_left_out = make_baselines(wanted.baselines, setting)
    chosen, metrics_left_out = chosen_metrics(metrics, context)
    rank = check_rank(chosen, wanted.rank)
    sources, damaged = [main, *baselines], [Skipped(clip=clip, reason=reason) for clip, reason in clips.damaged]
    amount = Amount(wanted.seeds, LONG_CLIPS)
    observations = observe(_cases(clips, damaged, quiet), sources, chosen, amount)
    _check_measured(observations, main.name, damaged)
    asked = None if metrics is None else [each.spec for each in chosen]
    report = Report(
        headmotion=headmotion.__version__,
        command=wanted.command(asked, tuple(BASELINES)),
        subject=subject,
        data=told(clips, damaged),
        seed=wanted.seed,
        seeds=wanted.seeds,
        metrics={each.name: measured_by(each, sources, observations, clips, wanted.seed) for each in chosen},
        metrics_left_out=metrics_left_out,
        baselines={each.name: dict(each.protocol) for each in baselines},
        baselines_left_out=baselines_left_out,
    )
    return Evaluation(report, clips, sources, chosen, observations, rank)


def _opened(wanted: Wanted, device: str) -> tuple[dict[str, Any], Clips, Source, BuildContext]:
    """What is evaluated, as the report names it, on which clips."""
    folder = Path(wanted.subject)
    if os.fspath(wanted.subject) not in registry().models and folder.is_dir():
        representation = representation_in(folder)
        clips = open_clips(wanted.data, representation, wanted.split, wanted.limit)
        return (
            {"kind": "motions", "name": str(folder)},
            clips,
            MotionFiles(folder, representation),
            BuildContext(representation, 0),
        )
    pipeline, name = load_model(os.fspath(wanted.subject), device)
    clips = open_clips(wanted.data, pipeline.representation, wanted.split, wanted.limit)
    return name, clips, Model(pipeline, clips, wanted.seed), pipeline.context()


def _cases(clips: Clips, damaged: list[Skipped], quiet: bool) -> Iterator[Case]:
    """The clips that can be used; the others are told to ``damaged``."""
    console = Console(stderr=True)  # what is printed besides may be read by a program
    for number in track(range(len(clips)), "clips", console=console, disable=quiet):
        try:
            yield clips[number]
        except HeadmotionError as error:
            damaged.append(Skipped(clip=clips.entries[number].id, reason=str(error)))


def _check_measured(observations: Observations, main: str, damaged: Sequence[Skipped]) -> None:
    found = [each for (source, _), each in observations.items() if source == main]
    if any(each.observations for each in found):
        return
    reasons = [reason for each in found for _, reason in each.skipped] + [each.reason for each in damaged]
    reasons += [each.left_out for each in found if each.left_out]
    raise EvaluationError("evaluation", "a clip that can be measured", reasons[0] if reasons else "no metric that fits")
