"""Phases as parts: what they hand on, what is refused before the first step, and that any of them can be stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from killed import killed_at
from safetensors.torch import load_file
from torch import Tensor, nn

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.core.plugins import registry
from headmotion.training import train
from headmotion.training.adversarial_objectives import OBJECTIVES
from headmotion.training.adversarial_phase import AdversarialPhase
from headmotion.training.build import build_training
from headmotion.training.dry_run import dry_run
from headmotion.training.recipe import RecipeSpec, load_recipe
from headmotion.training.settings import OptimizerSpec
from headmotion.training.supervised_phase import SupervisedPhase

SMOKE = load_recipe("smoke").model_dump(mode="json")
GENERATOR = SMOKE["phases"]["generator"] | {"steps": 4}
SUPERVISED = {"type": "supervised", "steps": 4, "frames": 20, "ema_decay": 0.5, "losses": ["spread"]}


class GainSpec(hm.PhaseSpec):
    """A number by which the motion's size is predicted, handed on as ``gain``."""

    type: Literal["gain"] = "gain"
    makes: str = "gain"

    def build(self, context: hm.TrainContext) -> hm.Phase:
        return Gain(self, context)


class Gain(hm.Phase):
    def __init__(self, spec: GainSpec, context: hm.TrainContext) -> None:
        self.name, self.steps, self.makes = context.name, spec.steps, spec.makes
        self.batches, self.parts = context.batches(10, spec.steps), context.partition.grad_accumulation
        self.gain = nn.Linear(1, 1).to(dtype=context.partition.dtype)
        with torch.no_grad():
            self.gain.weight.fill_(0.1)
            self.gain.bias.fill_(0.2)
        self.modules = {"gain": self.gain}
        self.stepper = context.stepper("gain", self.gain.parameters(), OptimizerSpec(lr=0.1), spec.steps)
        self.optimizers = {"gain": self.stepper}

    def start(self) -> None:
        pass

    def step(self, number: int) -> Mapping[str, float]:
        batch = self.batches(number)
        for part in batch.parts(self.parts):
            size = part.motion.flatten(1).std(1, keepdim=True)
            self.stepper.accumulate({"error": (self.gain(size) - 1).square().mean()}, 1 / self.parts)
        return self.stepper.apply(number, batch.clips)

    def result(self) -> Mapping[str, Any]:
        return {self.makes: self.gain}


class GainLossSpec(hm.LossSpec):
    """Generated motion of the size that the gain expects."""

    type: Literal["gain"] = "gain"
    gain: str = "gain"

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return GainLoss(self)


class GainLoss(hm.Loss):
    def __init__(self, spec: GainLossSpec) -> None:
        super().__init__(spec)
        self.uses, self.parts = (spec.gain,), list[nn.Module]()

    def use_parts(self, parts: Mapping[str, Any]) -> None:
        self.parts = [parts[self.uses[0]]]

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        (gain,) = self.parts
        assert not any(parameter.requires_grad for parameter in gain.parameters()), "frozen when it is handed on"
        return {"gain": (gain(generated.motion.flatten(1).std(1, keepdim=True)) - 1).square().mean()}


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    for spec in (GainSpec, GainLossSpec):
        monkeypatch.setitem(registry().specs, (spec.kind, "gain"), spec)


def recipe(phases: Mapping[str, Any], **changes: Any) -> RecipeSpec:
    return RecipeSpec.model_validate(SMOKE | {"phases": dict(phases), "save_every": 1} | changes)


GAINED = {"gain": {"type": "gain", "steps": 4}, "generator": GENERATOR | {"losses": ["gain"]}}


@pytest.mark.parametrize(
    ("phases", "cls", "at"),
    [
        (GAINED, Gain, 2),
        (GAINED, AdversarialPhase, 2),
        ({"first": SUPERVISED, "second": GENERATOR | {"losses": []}}, SupervisedPhase, 2),
        ({"first": SUPERVISED, "second": GENERATOR | {"losses": []}}, AdversarialPhase, 1),
    ],
)
def test_a_killed_run_goes_on_bit_for_bit(
    phases: dict[str, Any], cls: type[hm.Phase], at: int, small_corpus: Path, tmp_path: Path
) -> None:
    spec, whole = recipe(phases), tmp_path / "whole"
    train(spec, [small_corpus], whole, device="cpu", quiet=True)
    with killed_at(at, cls):
        train(spec, [small_corpus], tmp_path / "run", device="cpu", quiet=True)
    model = train(spec, [small_corpus], tmp_path / "run", device="cpu", quiet=True, resume=True)
    assert read_header(model).sha256 == read_header(whole / "model.safetensors").sha256
    assert (tmp_path / "run" / "log.jsonl").read_text() == (whole / "log.jsonl").read_text()


def test_a_phase_goes_on_with_what_the_one_before_has_trained(small_corpus: Path, tmp_path: Path) -> None:
    """The running mean of the first is where the second begins."""
    spec = recipe({"first": SUPERVISED, "second": SUPERVISED | {"optimizer": {"lr": 1e-9}}})
    train(spec, [small_corpus], tmp_path / "run", device="cpu", quiet=True)
    finished = load_file(tmp_path / "run" / "finished" / "first.safetensors")
    model = load_file(tmp_path / "run" / "model.safetensors")
    mean = finished["module/averaged/lstm.weight_ih"]
    torch.testing.assert_close(model["generator.lstm.weight_ih"], mean, rtol=0, atol=1e-6)
    assert not torch.equal(finished["module/generator/lstm.weight_ih"], mean)


@pytest.mark.parametrize("phases", [GAINED, {"first": SUPERVISED | {"losses": []}}])
def test_parts_one_after_another_give_the_parameters_of_one_batch(
    phases: dict[str, Any], small_corpus: Path, tmp_path: Path
) -> None:
    states = []
    for parts in (1, 2):
        folder = tmp_path / str(parts)
        spec = recipe(phases, grad_accumulation=parts, precision="64")
        train(spec, [small_corpus], folder, device="cpu", quiet=True)
        states.append(load_file(folder / "state.safetensors"))
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-9, atol=1e-10)


def test_every_phase_is_logged_measured_and_counted(small_corpus: Path, tmp_path: Path) -> None:
    spec = recipe(GAINED)
    measured = dry_run(spec, [small_corpus], "cpu")
    assert measured.parameters["gain: gain"] == 2 and {"gain", "generator"} == measured.step_seconds.keys()
    model = train(spec, [small_corpus], tmp_path / "run", device="cpu", quiet=True)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines] == ["gain"] * 4 + ["generator"] * 4
    assert {"error", "gradient"} <= lines[0].keys() and "gain" in lines[-1]
    assert read_header(model).card["phases"] == ["gain", "generator"]


@pytest.mark.parametrize(
    ("phases", "complaint"),
    [
        ({"gain": {"type": "gain"}}, "gain phase: expected a result that a later phase uses, got 'gain', unused"),
        ({"generator": GENERATOR}, "generator phase: expected the name of a part among .* got 'syncers'"),
        (
            {"gain": {"type": "gain", "makes": "size"}, "generator": GENERATOR | {"losses": ["gain"]}},
            "the name of a part among size, generator, .* got 'gain'",
        ),
        (
            {"gain": {"type": "gain"}, "more": {"type": "gain"}, "generator": GENERATOR | {"losses": ["gain"]}},
            "more phase: expected a name for its result other than that of phase gain, got 'gain'",
        ),
        ({"gain": {"type": "gain", "steps": 0}}, "a phase with steps"),
        ({"fit": "fit"}, "fit phase: expected a representation with SupportsFitting, got landmarks68"),
        ({"s": {"type": "supervised", "trains": "renderer"}}, "s phase: expected .* can be trained"),
        ({"s": {"type": "supervised", "trains": "audio_encoder", "track": "motion"}}, "a part with weights to train"),
        ({"s": SUPERVISED | {"losses": ["sync"]}}, "s phase: .* got 'syncers'"),
        (
            {"s": {"type": "supervised", "trains": "audio_encoder", "track": "labels"}},
            "a part with weights to train|the track 'labels'",
        ),
        ({"g": GENERATOR | {"losses": ["pixels"]}}, "frames"),
    ],
)
def test_what_does_not_fit_is_one_error_before_any_step(
    phases: dict[str, Any], complaint: str, small_corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(hm.SpecError, match=complaint) as caught:
        train(recipe(phases), [small_corpus], tmp_path / "run", device="cpu", quiet=True)
    assert "\n" not in str(caught.value) and not (tmp_path / "run").exists()


class WatcherSpec(hm.LossSpec):
    """A loss that looks at labels."""

    type: Literal["watcher"] = "watcher"

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return Watcher(self)


class Watcher(hm.Loss):
    needs = frozenset({"labels"})

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        return {}


def test_a_corpus_without_a_track_is_one_error_before_any_step(
    small_corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry().specs, ("loss", "watcher"), WatcherSpec)
    spec = recipe({"generator": GENERATOR | {"losses": ["watcher"]}})
    expected = (
        "a corpus with the track 'labels', which loss watcher needs, got clips with audio, motion, wave; headmotion"
    )
    with pytest.raises(hm.SpecError, match=expected):
        build_training(spec, [small_corpus])


def test_given_syncers_need_a_phase_that_makes_them(small_corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(hm.TrainingError, match="a phase that makes syncers"):
        train(recipe(GAINED), [small_corpus], tmp_path / "run", device="cpu", quiet=True, syncers=tmp_path / "none")


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_fall_if_samples_are_distinguished(name: str) -> None:
    objective = OBJECTIVES[name]
    even = torch.full((8,), 0.5 if name == "least-squares" else 0.0)
    assert float(objective.discriminator(even, even)) == pytest.approx(objective.even)
    assert float(objective.discriminator(even + 0.4, even - 0.4)) < objective.even
    assert float(objective.generator(even + 0.2)) < float(objective.generator(even))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives_train(name: str, small_corpus: Path) -> None:
    spec = recipe({"generator": GENERATOR | {"losses": [], "objective": name}})
    phase = build_training(spec, [small_corpus]).phase("generator")
    phase.start()
    values = phase.step(0)
    assert {"d_frame", "g_frame", "d_gradient"} <= values.keys()
