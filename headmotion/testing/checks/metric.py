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
from ..inputs import clip, poses, same
from ..kit import check

FRAMES = 100


@check("metric", 1, "Leave out what cannot be told, and say so in a note; figures are plain floats.")
@torch.no_grad()
def metric_makes_finite_figures(subject: Subject) -> None:
    """Of one clip and of several, figures are finite floats; a clip drawn twice, as bootstrap does, is no trouble."""
    metric: Metric = subject.build()
    seen = [metric.observe(_clip(subject, metric, seed)) for seed in range(3)]
    for drawn in ([seen[0]], seen, [seen[1], seen[1], seen[0]]):
        figures = metric.figures(drawn)
        assert figures.values or figures.notes, f"neither figures nor notes of {len(drawn)} clips"
        broken = [name for name, value in figures.values.items() if not _is_finite(value)]
        assert not broken, f"not finite floats: {', '.join(broken)}"


@check("metric", 1, "Detach what is kept, move it to the CPU, and keep sums or histograms instead of whole motions.")
@torch.no_grad()
def metric_keeps_little(subject: Subject) -> None:
    """An observation holds named tensors on the CPU, without gradients, which survive being copied."""
    metric: Metric = subject.build()
    observed = metric.observe(_clip(subject, metric, 0))
    stray = [name for name, each in observed.items() if not _is_plain(each)]
    assert not stray, f"not tensors on the CPU without gradients: {', '.join(stray)}"
    apart: Observation = {name: each.clone() for name, each in observed.items()}
    assert metric.figures([apart]).values == metric.figures([observed]).values, "copies make other figures"


@check("metric", 2, "Sum over clips; do not weigh them by their place in the list.")
@torch.no_grad()
def metric_knows_no_order(subject: Subject) -> None:
    """The order of the clips changes no figure."""
    metric: Metric = subject.build()
    seen = [metric.observe(_clip(subject, metric, seed)) for seed in range(3)]
    there, back = metric.figures(seen).values, metric.figures(seen[::-1]).values
    assert set(there) == set(back), "other figures in another order"
    for name, value in there.items():
        same(torch.tensor(back[name]), torch.tensor(value), name, 1e-4 * (1 + abs(value)))


@check(
    "metric", 2, "Let `observe` be `observe_batch` of one clip, and put clips of several lengths together by length."
)
@torch.no_grad()
def metric_observes_many_as_one(subject: Subject) -> None:
    """A metric with `observe_batch` gives for each of several clips, of two lengths, what `observe` gives for it."""
    metric: Metric = subject.build()
    if not isinstance(metric, SupportsBatch):
        return
    given = [_clip(subject, metric, seed) for seed in range(3)]
    given[1] = replace(given[1], generated=given[1].generated[:-1], real=given[1].real[:-1] if given[1].real else None)
    for together, each in zip(metric.observe_batch(given), given, strict=True):
        alone = metric.observe(each)
        assert alone.keys() == together.keys(), "other observations together"
        for name, value in alone.items():
            same(torch.as_tensor(together[name]), torch.as_tensor(value), name, 1e-4)


@check("metric", 1, "Name lengths, window sizes and extractors in `protocol`, as strings, numbers, lists and dicts.")
def metric_states_its_protocol(subject: Subject) -> None:
    """`protocol` holds JSON values, the same for two metrics of one spec."""
    first, second = (json.dumps(subject.build(seed).protocol, sort_keys=True, allow_nan=False) for seed in (0, 0))
    assert first == second, "two protocols of one spec"


@check("metric", 3, "Raise headmotion.MotionError that says what is missing, where it is missing.")
@torch.no_grad()
def metric_says_what_it_needs(subject: Subject) -> None:
    """A clip without speech, without truth, without other seeds, or of one frame is measured or clearly refused."""
    metric: Metric = subject.build()
    whole = _clip(subject, metric, 0)
    alone = {"real": None, "audio": None, "others": ()}
    for changes in ({"real": None}, {"audio": None}, {"others": ()}, {**alone, "generated": whole.generated[:1]}):
        wanting = replace(whole, **changes)
        try:
            metric.figures([metric.observe(wanting)])
        except HeadmotionError:
            continue


def _clip(subject: Subject, metric: Metric, seed: int) -> MetricInput:
    values = torch.stack([poses(subject, 1, FRAMES, 10 * seed + each)[0] for each in range(4)])
    return clip(subject, metric, values, f"clip {seed}")


def _is_plain(value: Any) -> bool:
    return isinstance(value, Tensor) and value.device.type == "cpu" and not value.requires_grad


def _is_finite(value: Any) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)
