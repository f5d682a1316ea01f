"""From a request to measured sources and their report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import track

import headmotion

from ..core.errors import EvaluationError, HeadmotionError
from ..core.interfaces.specs import BuildContext
from ..core.plugins import registry
from .aggregate import corpus_report, metric_report
from .baselines import BASELINES, make_baselines
from .baselines.context import BaselineContext
from .baselines.trivial import ShuffledAudio
from .clip_job import ClipJob, generate_clips
from .clip_pictures import ClipPictures
from .eval_clip import EvalClip
from .eval_split import EvalSplit, open_split
from .metric_selection import MetricLike, NamedMetric, select_metrics
from .model import ModelSource, load_model
from .motion_folder import MotionFolder, representation_in
from .motion_source import MotionSource
from .observe import ExtraMotion, Observations, observe_all
from .ranking import check_rank
from .report import Report, SkippedClip
from .request import EvaluationRequest

LONG_CLIPS = 20
"""Clips with continued speech, for metrics of long motion."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A report, with everything that it was made from."""

    report: Report
    split: EvalSplit
    sources: Sequence[MotionSource]
    """What was evaluated, followed by baselines."""
    metrics: Sequence[NamedMetric]
    observations: Observations
    rank: str
    """``METRIC.VALUE`` that ranks the best and worst clips; empty where there is none."""


def run_request(
    request: EvaluationRequest, metrics: Sequence[MetricLike] | None, device: str, quiet: bool, workers: int = 0
) -> Evaluation:
    """Measure what a request names.

    Args:
        request: the choices.
        metrics: see `select_metrics`.
        device: where models compute.
        quiet: whether to leave out the progress bar.
        workers: processes that generate the model's motion ahead; 0: none.

    Raises:
        HeadmotionError: see `evaluate`.
    """
    if workers < 0:
        raise EvaluationError("evaluation", "a number of workers from 0", str(workers))
    subject, split, main, context = _open_subject(request, device)
    pictures = ClipPictures(main.pipeline, split) if isinstance(main, ModelSource) else None
    baseline_context = BaselineContext(split, main if isinstance(main, ModelSource) else None)
    baselines, baselines_left_out = make_baselines(request.baselines, baseline_context)
    selected, metrics_left_out = select_metrics(metrics, context, _missing_inputs(pictures))
    # Refused before hours of work.
    rank = check_rank(selected, request.rank)
    sources = [main, *baselines]
    damaged = [SkippedClip(clip=clip, reason=reason) for clip, reason in split.damaged]
    extra = ExtraMotion(request.seeds, LONG_CLIPS)
    with TemporaryDirectory(prefix="headmotion-") as cache:
        if workers and isinstance(main, ModelSource):
            main.cache = Path(cache)
            _generate_ahead(request, main, sources, selected, device, workers, quiet)
        observations = observe_all(_readable_clips(split, damaged, quiet), sources, selected, extra, pictures)
    if isinstance(main, ModelSource):
        main.cache = None  # the page may ask for motion again
    # A report without any measured clip would be empty tables.
    _require_measured_clip(observations, main.name, damaged)
    specs = None if metrics is None else [item.spec for item in selected]
    report = Report(
        headmotion=headmotion.__version__,
        command=request.command_line(specs, tuple(BASELINES)),
        subject=subject,
        data=corpus_report(split, damaged),
        seed=request.seed,
        seeds=request.seeds,
        metrics={item.name: metric_report(item, sources, observations, split, request.seed) for item in selected},
        metrics_left_out=metrics_left_out,
        baselines={baseline.name: dict(baseline.protocol) for baseline in baselines},
        baselines_left_out=baselines_left_out,
    )
    return Evaluation(report, split, sources, selected, observations, rank)


def _generate_ahead(
    request: EvaluationRequest,
    main: ModelSource,
    sources: Sequence[MotionSource],
    metrics: Sequence[NamedMetric],
    device: str,
    workers: int,
    quiet: bool,
) -> None:
    """Let processes generate the motions that the metrics will need into the cache of ``main``."""
    with_seeds = any("others" in item.metric.needs for item in metrics)
    job = ClipJob(
        model=os.fspath(request.subject),
        device=device,
        data=os.fspath(request.data),
        split=request.split,
        limit=request.limit,
        seed=request.seed,
        cache=str(main.cache),
        is_shuffled=any(isinstance(source, ShuffledAudio) for source in sources),
        seeds=request.seeds if with_seeds else 1,
        long_frames=max((item.metric.long_frames for item in metrics if "long" in item.metric.needs), default=0),
        long_clips=LONG_CLIPS,
    )
    generate_clips(job, range(len(main.split)), workers, quiet)


def _missing_inputs(pictures: ClipPictures | None) -> dict[str, str]:
    """Return the inputs of metrics that no clip has, each with the reason."""
    reason = "a folder of motions has no renderer" if pictures is None else pictures.missing
    return {"pictures": reason} if reason else {}


def _open_subject(
    request: EvaluationRequest, device: str
) -> tuple[dict[str, Any], EvalSplit, MotionSource, BuildContext]:
    """Return the report's name of what is evaluated, its clips, its motion, and the context of its metrics."""
    folder = Path(request.subject)
    # The name of a bundled model wins over a folder of the same name.
    if os.fspath(request.subject) not in registry().models and folder.is_dir():
        representation = representation_in(folder)
        split = open_split(request.data, representation, request.split, request.limit)
        subject = {"kind": "motions", "name": str(folder)}
        return subject, split, MotionFolder(folder, representation), BuildContext(representation, 0)
    pipeline, subject = load_model(os.fspath(request.subject), device)
    split = open_split(request.data, pipeline.representation, request.split, request.limit)
    return subject, split, ModelSource(pipeline, split, request.seed), pipeline.context()


def _readable_clips(split: EvalSplit, damaged: list[SkippedClip], quiet: bool) -> Iterator[EvalClip]:
    """Yield the clips that can be used, and append the others to ``damaged``."""
    console = Console(stderr=True)  # standard output may be read by a program
    for index in track(range(len(split)), "clips", console=console, disable=quiet):
        try:
            yield split[index]
        except HeadmotionError as error:
            damaged.append(SkippedClip(clip=split.entries[index].id, reason=str(error)))


def _require_measured_clip(observations: Observations, main: str, damaged: Sequence[SkippedClip]) -> None:
    of_main = [observed for (source, _), observed in observations.items() if source == main]
    if any(observed.observations for observed in of_main):
        return
    reasons = [reason for observed in of_main for _, reason in observed.skipped] + [clip.reason for clip in damaged]
    reasons += [observed.left_out for observed in of_main if observed.left_out]
    raise EvaluationError("evaluation", "a clip that can be measured", reasons[0] if reasons else "no metric that fits")
