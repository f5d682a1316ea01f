"""Observing all clips of all sources with all metrics, a few clips in memory at a time."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ..core.errors import EvaluationError, HeadmotionError, MotionError
from ..core.interfaces.metric import Metric, MetricInput, Observation, SupportsBatch
from ..core.outputs import checked_observation
from .clip_pictures import ClipPictures
from .eval_clip import EvalClip
from .metric_selection import NamedMetric
from .motion_source import MotionSource, SupportsLongMotion, SupportsSeeds

BATCH_SIZE = 16
"""Clips in memory at a time; with pictures, one."""


@dataclass
class SourceObservations:
    """The observations that one metric made of one source."""

    clips: list[str] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    """SHA-256 of each of the clips."""
    rates: set[str] = field(default_factory=set)
    """Frames per second that occurred."""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Clips that were not measured, with the reason."""
    left_out: str = ""
    """Why no clip can be measured."""


@dataclass(frozen=True)
class ExtraMotion:
    """How much is generated besides one motion per clip."""

    seeds: int
    """Motions per clip, for metrics that compare them."""
    long_clips: int
    """Clips with continued speech, for metrics of long motion."""


Observations = dict[tuple[str, str], SourceObservations]
"""By the names of source and metric."""


def observe_all(
    clips: Iterable[EvalClip],
    sources: Sequence[MotionSource],
    metrics: Sequence[NamedMetric],
    extra: ExtraMotion,
    pictures: ClipPictures | None = None,
) -> Observations:
    """Observe the motion of every source for every clip with every metric, reading each clip once.

    Args:
        clips: the evaluated clips.
        sources: what gives the motion.
        metrics: what observes it.
        extra: how much is generated besides one motion per clip.
        pictures: draws pictures of the motion, for metrics that need them.
    """
    with_pictures = any("pictures" in item.metric.needs for item in metrics)
    batch_size = 1 if with_pictures else BATCH_SIZE
    observations = {
        (source.name, item.name): SourceObservations(left_out=_unmet_need(source, item.metric, extra))
        for source in sources
        for item in metrics
    }
    remaining = iter(clips)
    # Sources inside clips: each clip is read once, and corpora need not fit into memory.
    while batch := list(itertools.islice(remaining, batch_size)):
        for source in sources:
            # Nothing is generated for metrics that the source cannot serve.
            active = [item for item in metrics if not observations[source.name, item.name].left_out]
            inputs: list[tuple[EvalClip, MetricInput]] = []
            for clip in batch:
                try:
                    inputs.append(
                        (clip, _metric_input(clip, source, [item.metric for item in active], extra, pictures))
                    )
                except HeadmotionError as error:
                    for item in active:
                        observations[source.name, item.name].skipped.append((clip.name, str(error)))
            for item in active:
                _observe_batch(item.metric, inputs, observations[source.name, item.name])
    return observations


def _unmet_need(source: MotionSource, metric: Metric, extra: ExtraMotion) -> str:
    """Return why a source lacks what a metric needs; empty if it does not."""
    if "others" in metric.needs and not isinstance(source, SupportsSeeds):
        return "no motion from other seeds"
    if "others" in metric.needs and extra.seeds < 2:
        return "needs two seeds or more"
    if "long" in metric.needs and not isinstance(source, SupportsLongMotion):
        return "no motion beyond the clip"
    if "long" in metric.needs and not extra.long_clips:
        return "no clip with continued speech was requested"
    return ""


def _metric_input(
    clip: EvalClip,
    source: MotionSource,
    metrics: Sequence[Metric],
    extra: ExtraMotion,
    pictures: ClipPictures | None,
) -> MetricInput:
    motion = source.motion(clip)
    # Checked once here, so that one clip fails instead of the values of all.
    if not bool(torch.isfinite(motion.values).all()):
        raise MotionError(f"motion of {clip.name}", "finite frames", "NaN or infinity")
    # Other seeds and long motion are costly, so they are generated only if a metric needs them.
    inputs = MetricInput(clip.name, motion, clip.real, clip.audio)
    if isinstance(source, SupportsSeeds) and any("others" in metric.needs for metric in metrics):
        inputs = replace(inputs, others=tuple(source.repeat(clip, number) for number in range(1, extra.seeds)))
    frames = max((metric.long_frames for metric in metrics), default=0)
    if isinstance(source, SupportsLongMotion) and frames and clip.index < extra.long_clips:
        inputs = replace(inputs, long=source.long_motion(clip, frames))
    if pictures is not None and any("pictures" in metric.needs for metric in metrics):
        inputs = replace(inputs, pictures=pictures.pair(clip, motion))
    return inputs


def _observe_batch(
    metric: Metric, inputs: Sequence[tuple[EvalClip, MetricInput]], observations: SourceObservations
) -> None:
    if "long" in metric.needs:  # clips beyond the first few have none, which the report shows by the count
        inputs = [(clip, data) for clip, data in inputs if data.long is not None]
    results = _observations_or_errors(metric, [data for _, data in inputs])
    for (clip, _), result in zip(inputs, results, strict=True):
        if isinstance(result, HeadmotionError):
            observations.skipped.append((clip.name, str(result)))
            continue
        observations.observations.append(result)
        observations.clips.append(clip.name)
        observations.digests.append(clip.digest)
        observations.rates.add(str(clip.real.fps))


def _observations_or_errors(metric: Metric, inputs: Sequence[MetricInput]) -> list[Observation | HeadmotionError]:
    if isinstance(metric, SupportsBatch) and len(inputs) > 1:
        try:
            # Faster where it works, which is nearly always.
            return [checked_observation(metric, observation) for observation in metric.observe_batch(inputs)]
        except HeadmotionError:
            pass  # one by one shows which clip it was
    return [_observation_or_error(metric, data) for data in inputs]


def _observation_or_error(metric: Metric, data: MetricInput) -> Observation | HeadmotionError:
    try:
        return checked_observation(metric, metric.observe(data))
    except HeadmotionError as error:
        return error


def json_protocol(item: NamedMetric) -> dict[str, Any]:
    """Return a metric's own protocol as JSON values.

    Raises:
        EvaluationError: it holds something else.
    """
    try:
        # Through JSON, so that tuples and lists compare equal with a stored report.
        text = json.dumps(dict(item.metric.protocol), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise EvaluationError(f"metric {item.name}", "a protocol of JSON values", str(error)) from None
    values: Mapping[str, Any] = json.loads(text)
    return dict(values)
