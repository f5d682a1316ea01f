"""Checks of metrics."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ...core.errors import HeadmotionError
from ...core.interfaces.metric import Metric, MetricInput, Observation, SupportsBatch
from ..build_context import Subject
from ..inputs import assert_close, metric_input, poses
from ..kit import NotApplicable, check

FRAMES = 100

MISSING: dict[str, Any] = {"real": None, "audio": None, "others": (), "long": None, "pictures": None}
"""The fields of `MetricInput` that a metric may need, as they are where the clip lacks them."""


@check("metric", 1, "Leave out undefined values and explain them in a note; values are plain floats.")
@torch.no_grad()
def metric_values_are_finite(subject: Subject) -> None:
    """For one clip and for several, values are finite floats; a clip may occur twice, as in the bootstrap."""
    metric: Metric = subject.build()
    observed = [metric.observe(_clip(subject, metric, seed)) for seed in range(3)]
    # One clip, several, and a bootstrap draw, in which clips repeat.
    for sample in ([observed[0]], observed, [observed[1], observed[1], observed[0]]):
        result = metric.figures(sample)
        assert result.values or result.notes, f"neither values nor notes for {len(sample)} clips"
        broken = [name for name, value in result.values.items() if not _is_finite(value)]
        assert not broken, f"not finite floats: {', '.join(broken)}"


@check("metric", 1, "Detach observations, move them to the CPU, and keep sums or histograms instead of motions.")
@torch.no_grad()
def metric_observations_are_plain_tensors(subject: Subject) -> None:
    """An observation holds named tensors on the CPU, without gradients, and a copy of it gives the same values."""
    metric: Metric = subject.build()
    observed = metric.observe(_clip(subject, metric, 0))
    stray = [name for name, value in observed.items() if not _is_plain(value)]
    assert not stray, f"not tensors on the CPU without gradients: {', '.join(stray)}"
    copy: Observation = {name: value.clone() for name, value in observed.items()}
    assert metric.figures([copy]).values == metric.figures([observed]).values, "a copy gives other values"


@check("metric", 2, "Sum over clips; do not weight them by their position in the list.")
@torch.no_grad()
def metric_ignores_clip_order(subject: Subject) -> None:
    """The order of the clips changes no value."""
    metric: Metric = subject.build()
    observed = [metric.observe(_clip(subject, metric, seed)) for seed in range(3)]
    forward, backward = metric.figures(observed).values, metric.figures(observed[::-1]).values
    assert set(forward) == set(backward), "other values in another order"
    if not forward:
        raise NotApplicable("it has no value for the kit's clips")
    for name, value in forward.items():
        assert_close(torch.tensor(backward[name]), torch.tensor(value), name, 1e-4 * (1 + abs(value)))


@check("metric", 2, "Let `observe` be `observe_batch` of one clip, and batch clips of the same length.")
@torch.no_grad()
def metric_batch_equals_single(subject: Subject) -> None:
    """`observe_batch` gives for each of several clips, of two lengths, what `observe` gives for it."""
    metric: Metric = subject.build()
    if not isinstance(metric, SupportsBatch):
        raise NotApplicable("it does not declare SupportsBatch")
    clips = [_clip(subject, metric, seed) for seed in range(3)]
    # Two lengths, so that batching by length is put to the test.
    clips[1] = replace(clips[1], generated=clips[1].generated[:-1], real=clips[1].real[:-1] if clips[1].real else None)
    for batched, clip in zip(metric.observe_batch(clips), clips, strict=True):
        single = metric.observe(clip)
        assert single.keys() == batched.keys(), "other observations in a batch"
        for name, value in single.items():
            assert_close(torch.as_tensor(batched[name]), torch.as_tensor(value), name, 1e-4)


@check("metric", 1, "Name lengths, window sizes and extractors in `protocol`, as strings, numbers, lists and dicts.")
def metric_protocol_is_json(subject: Subject) -> None:
    """`protocol` holds JSON values, the same for two metrics of one spec."""
    first, second = (json.dumps(subject.build(seed).protocol, sort_keys=True, allow_nan=False) for seed in (0, 0))
    assert first == second, "two protocols of one spec"


@check(
    "metric",
    3,
    "List in `needs` the fields of MetricInput that every clip must have. Where one is missing, raise"
    " headmotion.MotionError with the field's name in the message.",
)
@torch.no_grad()
def metric_names_missing_inputs(subject: Subject) -> None:
    """Without a field of `needs`, `observe` raises an error that names it; without any other field, it works.

    A clip of one frame is measured or refused.
    """
    metric: Metric = subject.build()
    clip = _clip(subject, metric, 0)
    unknown = metric.needs - MISSING.keys()
    assert not unknown, f"`needs` names {', '.join(sorted(unknown))}; clips may have {', '.join(MISSING)}"
    for field, missing in MISSING.items():
        try:
            metric.figures([metric.observe(replace(clip, **{field: missing}))])
        except HeadmotionError as error:
            assert field in metric.needs, f"without {field}, which `needs` does not name: {error}"
            assert field in str(error), f"without {field} the error does not name it: {error}"
        else:
            assert field not in metric.needs, f"no error without {field}, which `needs` names"
    # One frame is the shortest motion that a source can return.
    single_frame = replace(clip, generated=clip.generated[:1], real=clip.real and clip.real[:1], others=())
    try:
        values = metric.figures([metric.observe(single_frame)]).values
    except HeadmotionError:
        return  # refused in one line; any other error fails the check
    broken = [name for name, value in values.items() if not _is_finite(value)]
    assert not broken, f"not finite for a clip of one frame: {', '.join(broken)}"


def _clip(subject: Subject, metric: Metric, seed: int) -> MetricInput:
    values = torch.stack([poses(subject, 1, FRAMES, 10 * seed + index)[0] for index in range(4)])
    return metric_input(subject, metric, values, f"clip {seed}")


def _is_plain(value: Any) -> bool:
    return isinstance(value, Tensor) and value.device.type == "cpu" and not value.requires_grad


def _is_finite(value: Any) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)
