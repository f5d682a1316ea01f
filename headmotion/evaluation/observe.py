"""Every metric looks at every clip of every source, a few clips in memory at a time."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ..core.errors import EvaluationError, HeadmotionError, MotionError
from ..core.interfaces.metric import Metric, MetricInput, Observation, SupportsBatch
from ..core.interfaces.specs import MetricSpec
from .eval_clip import Case
from .motion_source import GoesOn, Repeats, Source


@dataclass(frozen=True)
class Measuring:
    """A metric with the name that it has in the report."""

    name: str
    spec: MetricSpec
    metric: Metric


@dataclass
class Observed:
    """What one metric keeps of one source."""

    clips: list[str] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    """SHA-256 of each of the clips."""
    rates: set[str] = field(default_factory=set)
    """Frames per second that came up."""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Clips that were not measured, with the reason."""
    left_out: str = ""
    """Why no clip can be measured."""


@dataclass(frozen=True)
class Amount:
    """How much is generated for a clip beyond its motion."""

    seeds: int
    """Motions per clip, for metrics that compare them."""
    long_clips: int
    """Clips whose speech goes on, for metrics that look at long motion."""


TOGETHER = 16
"""Clips in memory at a time."""
Made = tuple[Case, MetricInput]
Observations = dict[tuple[str, str], Observed]
"""By source and metric."""


def observe(
    cases: Iterable[Case], sources: Sequence[Source], metrics: Sequence[Measuring], amount: Amount
) -> Observations:
    """Look at all clips once."""
    kept = {(s.name, m.name): Observed(left_out=_unmet(s, m.metric, amount)) for s in sources for m in metrics}
    rest = iter(cases)
    while few := list(itertools.islice(rest, TOGETHER)):
        for source in sources:
            wanted = [each for each in metrics if not kept[source.name, each.name].left_out]
            made: list[Made] = []
            for case in few:
                try:
                    made.append((case, _made(case, source, [each.metric for each in wanted], amount)))
                except HeadmotionError as error:
                    for each in wanted:
                        kept[source.name, each.name].skipped.append((case.name, str(error)))
            for each in wanted:
                _look(each.metric, made, kept[source.name, each.name])
    return kept


def _unmet(source: Source, metric: Metric, amount: Amount) -> str:
    if "others" in metric.needs and not isinstance(source, Repeats):
        return "no motion from other seeds"
    if "others" in metric.needs and amount.seeds < 2:
        return "needs two seeds or more"
    if "long" in metric.needs and not isinstance(source, GoesOn):
        return "no motion beyond the clip"
    if "long" in metric.needs and not amount.long_clips:
        return "no clip was to be continued"
    return ""


def _made(case: Case, source: Source, metrics: Sequence[Metric], amount: Amount) -> MetricInput:
    motion = source.motion(case)
    if not bool(torch.isfinite(motion.values).all()):
        raise MotionError(f"motion of {case.name}", "finite frames", "NaN or infinity")
    clip = MetricInput(case.name, motion, case.real, case.audio)
    if isinstance(source, Repeats) and any("others" in each.needs for each in metrics):
        clip = replace(clip, others=tuple(source.again(case, repeat) for repeat in range(1, amount.seeds)))
    frames = max((each.long_frames for each in metrics), default=0)
    if isinstance(source, GoesOn) and frames and case.number < amount.long_clips:
        clip = replace(clip, long=source.long(case, frames))
    return clip


def _look(metric: Metric, made: Sequence[Made], kept: Observed) -> None:
    if "long" in metric.needs:  # the report says for how many clips there is one
        made = [(case, clip) for case, clip in made if clip.long is not None]
    for (case, _), found in zip(made, _found(metric, [clip for _, clip in made]), strict=True):
        if isinstance(found, HeadmotionError):
            kept.skipped.append((case.name, str(found)))
            continue
        kept.observations.append(found)
        kept.clips.append(case.name)
        kept.digests.append(case.digest)
        kept.rates.add(str(case.real.fps))


def _found(metric: Metric, clips: Sequence[MetricInput]) -> list[Observation | HeadmotionError]:
    """What is observed in each clip, or why nothing can be."""
    if isinstance(metric, SupportsBatch) and len(clips) > 1:
        try:
            return list(metric.observe_batch(clips))
        except HeadmotionError:
            pass  # which clip it was is found one by one
    return [_one(metric, clip) for clip in clips]


def _one(metric: Metric, clip: MetricInput) -> Observation | HeadmotionError:
    try:
        return metric.observe(clip)
    except HeadmotionError as error:
        return error


def protocol_of(measuring: Measuring) -> dict[str, Any]:
    """A metric's own protocol as JSON values.

    Raises:
        EvaluationError: it holds something else.
    """
    try:
        text = json.dumps(dict(measuring.metric.protocol), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise EvaluationError(f"metric {measuring.name}", "a protocol of JSON values", str(error)) from None
    values: Mapping[str, Any] = json.loads(text)
    return dict(values)
