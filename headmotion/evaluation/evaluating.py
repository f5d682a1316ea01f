"""`evaluate`: a model or motions, and baselines, through the same metrics."""

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
from ..core.files import atomic_folder
from ..core.plugins import registry
from ..core.spec import BuildContext
from .baselines import BASELINES, make_baselines
from .baselines.setting import Setting
from .case import Case
from .chosen import MetricLike, chosen_metrics
from .clips import Clips, open_clips
from .files import MotionFiles, representation_in
from .model import Model, load_model
from .observing import Amount, Measuring, Observations, observe
from .report import JSON, Report, Skipped
from .results import measured_by, told
from .source import Source
from .wanted import Wanted

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


def evaluate(
    subject: str | os.PathLike[str],
    data: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    split: str = "val",
    metrics: Sequence[MetricLike] | None = None,
    baselines: Sequence[str] = tuple(BASELINES),
    seed: int = 0,
    seeds: int = 3,
    limit: int | None = None,
    device: str = "auto",
    quiet: bool = True,
) -> Report:
    """Measure what a model makes of the speech of a corpus, or motions that are there already.

    Every clip's motion begins at the clip's own first pose and hears its own speech. It is compared with the real
    motion, in pixels, at the clip's rate.

    Args:
        subject: a bundled model, a checkpoint, or a folder with ``ID.npz`` or ``ID.json`` (see `Motion.save`).
        data: the corpus folder.
        output: folder for the report, new or empty; None writes nothing.
        split: which clips.
        metrics: specs, types or dicts with a type; None means all that need no choice and fit the representation.
        baselines: names out of `BASELINES`.
        seed: the only source of chance: of the model (clip ``k`` gets ``seed + k``) and of the intervals.
        seeds: motions per clip, for metrics that compare them.
        limit: the first so many clips only.
        device: where to compute.
        quiet: no progress bar.

    Raises:
        EvaluationError: no such split, no clip that could be measured, an unknown baseline, an output that is there.
        CheckpointError: no such model.
        CorpusError: no corpus.
        SpecError: a metric that is unknown, or that does not fit the representation.
    """
    wanted = Wanted(subject, data, split, baselines, seed, seeds, limit)
    if output is not None:
        check_output(Path(output))
    found = evaluation(wanted, metrics, device, quiet)
    if output is not None:
        with atomic_folder(output) as folder:
            found.report.save(folder / JSON)
    return found.report


def check_output(folder: Path) -> None:
    """Refuse a folder into which a report cannot be put, before any work is done for it.

    Raises:
        EvaluationError: it is there and no empty folder.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise EvaluationError("evaluation", "a new or empty folder for the report", str(folder), "choose another name")


def evaluation(wanted: Wanted, metrics: Sequence[MetricLike] | None, device: str, quiet: bool) -> Evaluation:
    """All of `evaluate` but the writing of files."""
    subject, clips, main, context = _opened(wanted, device)
    setting = Setting(clips, main if isinstance(main, Model) else None)
    baselines, baselines_left_out = make_baselines(wanted.baselines, setting)
    chosen, metrics_left_out = chosen_metrics(metrics, context)
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
    return Evaluation(report, clips, sources, chosen, observations)


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
