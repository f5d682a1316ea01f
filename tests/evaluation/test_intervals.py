"""Intervals against explicit draws, and values that must not get into a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from headmotion.core.interfaces.metric import Metric, MetricInput, MetricValues, Observation
from headmotion.core.spec import Spec
from headmotion.evaluation.intervals import bootstrap_draws, bootstrap_intervals, finite_values


class Mean(Metric):
    """The mean of a number, its root mean square, and a value that is NaN."""

    @property
    def protocol(self) -> Mapping[str, Any]:
        return {}

    def observe(self, clip: MetricInput) -> Observation:
        raise NotImplementedError

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        return {"mean": float(observed["x"])} if observed else {}

    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        defined = torch.stack([observation["x"] for observation in observed if observation])
        return MetricValues(
            {"mean": float(defined.mean()), "rms": float(defined.square().mean().sqrt()), "bad": float("nan")}
        )


def observations(count: int, undefined: int = 0) -> list[Observation]:
    values = np.random.default_rng(3).gamma(2.0, size=count)
    return [{"x": torch.tensor(value)} for value in values] + [{} for _ in range(undefined)]  # type: ignore[return-value]


@pytest.mark.parametrize("undefined", [0, 4])
def test_intervals_are_percentiles_over_clips_drawn_with_replacement(undefined: int) -> None:
    observed = observations(40, undefined)
    result = bootstrap_intervals(Mean(Spec()), observed, seed=0)
    values = np.array([float(observation["x"]) if observation else np.nan for observation in observed])
    drawn = values[np.random.default_rng(9).integers(0, len(values), (20_000, len(values)))]
    for name, statistic in [("mean", np.nanmean(drawn, 1)), ("rms", np.sqrt(np.nanmean(drawn**2, 1)))]:
        assert result[name] == pytest.approx(np.percentile(statistic, [2.5, 97.5]), rel=0.05)
    assert bootstrap_intervals(Mean(Spec()), observed, seed=0) == result


def test_one_clip_has_no_interval_and_clips_alike_have_one_of_no_width() -> None:
    assert bootstrap_intervals(Mean(Spec()), observations(1), seed=0) == {}
    same = observations(1) * 5
    value = float(same[0]["x"])
    assert bootstrap_intervals(Mean(Spec()), same, 0) == {
        "mean": pytest.approx((value,) * 2),
        "rms": pytest.approx((value,) * 2),
    }


def test_values_that_are_not_finite_become_notes() -> None:
    figures = finite_values(Mean(Spec()), observations(3))
    assert set(figures.values) == {"mean", "rms"} and figures.notes == ("bad: left out, because it is not finite",)


def test_slow_metrics_get_fewer_draws() -> None:
    slow = Mean(Spec())
    assert [bootstrap_draws(slow, clips) for clips in (10, 500, 100_000)] == [1000, 200, 100]
    slow.draws = 50  # type: ignore[assignment]
    assert bootstrap_draws(slow, 10) == 50
