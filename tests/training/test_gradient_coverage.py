"""Weights that nothing trains: out of reach of gradients, in plain lists, or in results that nothing uses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

import headmotion as hm
from headmotion.core.component import hidden_weights
from headmotion.testing import run_checks
from headmotion.training import train
from headmotion.training.build import build_training
from headmotion.training.dry_run import dry_run
from headmotion.training.gradient_coverage import GradientCoverage, untrained_parts
from headmotion.training.recipe import RecipeSpec, load_recipe
from headmotion.training.take_step import take_step

SMOKE = load_recipe("smoke").model_dump(mode="json")


class ProbeSpec(hm.LossSpec):
    """A loss with two layers, of which its objective trains some."""

    type: Literal["probe"] = "probe"
    trains: Literal["both", "first", "none"] = "both"
    hidden: bool = False

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return Probe(self)


class Probe(hm.Loss):
    spec: ProbeSpec

    def __init__(self, spec: ProbeSpec) -> None:
        super().__init__(spec)
        self.first, self.second = nn.Linear(1, 1), nn.Linear(1, 1)
        if spec.hidden:
            self.layers = {"a": [nn.Linear(1, 1)]}

    def terms(self, sample: hm.Sample) -> Mapping[str, Tensor]:
        value = self.first(sample.motion.mean().reshape(1, 1))
        return {"probe": (self.second(value) if self.spec.trains == "both" else value).square().mean()}

    def objective(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        return {} if self.spec.trains == "none" else self.terms(real)

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        return self.terms(generated)


def recipe(*losses: hm.LossSpec, syncers: bool = False) -> RecipeSpec:
    phases = {name: phase | {"steps": 2} for name, phase in SMOKE["phases"].items() if syncers or name == "generator"}
    phases["generator"] |= {"losses": list(losses), "adversarial_weight": 0.0}
    return RecipeSpec.model_validate(SMOKE | {"phases": phases})


def warnings(run: Path) -> list[str]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line["warning"] for line in lines if "warning" in line]


PARTLY = "2 of 4 parameters of loss probe are not trained"


def test_an_objective_that_reaches_some_parameters_only_is_a_warning(small_corpus: Path, tmp_path: Path) -> None:
    train(recipe(ProbeSpec(trains="first")), [small_corpus], tmp_path / "run", device="cpu", quiet=True)
    (text,) = warnings(tmp_path / "run")
    assert text == f"{PARTLY}: no gradient has reached second.weight, second.bias in 2 steps"
    assert f"# warning: {PARTLY}" in str(dry_run(recipe(ProbeSpec(trains="first")), [small_corpus], device="cpu"))


def test_gradients_that_a_step_clears_are_seen(small_corpus: Path) -> None:
    (phase,) = build_training(recipe(ProbeSpec(trains="first")), [small_corpus]).phases
    phase.start()
    coverage = GradientCoverage(phase, 1)
    take_step(phase, 0)
    for optimizer in phase.optimizers.values():
        optimizer.optimizer.zero_grad(set_to_none=True)
    (text,) = coverage.update(0)
    assert text.startswith(PARTLY)


def test_an_objective_that_reaches_none_of_a_part_is_an_error(small_corpus: Path, tmp_path: Path) -> None:
    both = recipe(ProbeSpec(), ProbeSpec(trains="none"))
    with pytest.raises(hm.TrainingError, match="generator phase: expected a gradient for loss probe, got none in 2 st"):
        train(both, [small_corpus], tmp_path / "two", device="cpu", quiet=True)
    with pytest.raises(hm.TrainingError, match="losses: expected terms that depend on what is trained, got no terms"):
        train(recipe(ProbeSpec(trains="none")), [small_corpus], tmp_path / "one", device="cpu", quiet=True)


def test_modules_in_a_plain_list_are_refused(small_corpus: Path, tmp_path: Path) -> None:
    expected = r"loss probe: expected all weights in modules that torch finds, got .* attribute layers\['a'\]\[0\]"
    with pytest.raises(hm.SpecError, match=expected):
        train(recipe(ProbeSpec(hidden=True)), [small_corpus], tmp_path / "run", device="cpu", quiet=True)
    results = {each.name: each for each in run_checks("loss", ProbeSpec(hidden=True))}
    assert results["weights-are-registered"].detail == "AssertionError: weights in layers['a'][0]"


def test_what_is_registered_as_well_is_not_hidden() -> None:
    part = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    part.layers = (part[0], {"norm": part[1]}, [part[0].weight])  # type: ignore[assignment]
    assert not list(hidden_weights(part))
    part.more = [nn.Parameter(torch.ones(1)), nn.ReLU(), "text"]  # type: ignore[assignment]
    assert list(hidden_weights(part)) == ["more[0]"]


def test_syncers_that_no_later_phase_uses_are_a_warning(small_corpus: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"device": "cpu", "quiet": True}
    train(recipe(hm.resolve_spec("loss", "spread"), syncers=True), [small_corpus], tmp_path / "run", **given)
    (text,) = warnings(tmp_path / "run")
    assert text.startswith("no later phase uses 'syncers', so that this phase has no effect on the model")
    train(
        load_recipe("smoke", ["phases.syncers.steps=1", "phases.generator.steps=1"]),
        [small_corpus],
        tmp_path / "used",
        **given,
    )
    assert not warnings(tmp_path / "used")


def test_an_encoder_that_no_phase_trains_is_a_warning(small_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_weights(*arguments: Any, **options: Any) -> hm.Pipeline:
        pipeline = hm.build(*arguments, **options)
        pipeline.audio_encoder.learned = nn.Linear(2, 3)
        return pipeline

    spread = recipe(hm.resolve_spec("loss", "spread"))
    assert not any(build_training(spread, [small_corpus]).warnings.values())
    monkeypatch.setattr("headmotion.training.build.build", with_weights)
    training = build_training(spread, [small_corpus])
    (warning,) = training.warnings["generator"]
    assert warning == "no phase trains the 9 parameters of audio encoder log-mel, which stay as they were drawn"
    assert untrained_parts(training.pipeline, training.phases, ["audio_encoder"]) == []
    assert warning in dry_run(spread, [small_corpus]).warnings
