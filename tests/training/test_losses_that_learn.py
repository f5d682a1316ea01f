"""A loss with parameters: trained by its own objective, frozen while it guides, saved, counted; or refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

import headmotion as hm
from headmotion.testing import run_checks
from headmotion.training.adversarial_phase import AdversarialPhase
from headmotion.training.build import build_training
from headmotion.training.distributed import Processes
from headmotion.training.recipe import RecipeSpec, load_recipe


class EstimatorSpec(hm.LossSpec):
    """How well a linear map of the motion tells what the audio is; learned on recorded motion only."""

    type: Literal["estimator"] = "estimator"

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return Estimator(self, context)


class Estimator(hm.Loss):
    def __init__(self, spec: hm.Spec, context: hm.BuildContext) -> None:
        super().__init__(spec)
        representation, self.steps = context.representation, context.steps_per_frame
        self.map = nn.Linear(representation.points * representation.dims, context.audio_channels)
        self.fixed = nn.Parameter(torch.ones(1), requires_grad=False)

    def error(self, sample: hm.Sample) -> Tensor:
        audio = sample.audio.unflatten(1, (-1, self.steps)).mean(2)[:, -sample.motion.shape[1] :]
        return (self.map(sample.motion.flatten(2)) - audio).square().mean() * 1e-2

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        assert not any(parameter.requires_grad for parameter in self.map.parameters()), "frozen while it guides"
        return {"estimate": self.error(generated)}

    def objective(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        assert not generated.motion.requires_grad
        return {"estimate": self.error(real)}


class UntrainedSpec(hm.LossSpec):
    """A weight that nothing trains."""

    type: Literal["untrained"] = "untrained"

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return Untrained(self)


class Untrained(hm.Loss):
    def __init__(self, spec: hm.Spec) -> None:
        super().__init__(spec)
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        return {"untrained": self.weight * generated.motion.square().mean()}


def phase(corpus: Path, spec: hm.LossSpec, parts: int = 1) -> AdversarialPhase:
    """Build the generator's phase of `smoke` with one loss."""
    changes = [f"grad_accumulation={parts}", "precision=64", "data.batch_size=8", "phases.syncers.batch_size=32"]
    changes += ["phases.generator.losses=[]"]
    recipe: RecipeSpec = load_recipe("smoke", changes)
    built = build_training(recipe, [corpus], Processes(device=torch.device("cpu"))).phase("generator")
    assert isinstance(built, AdversarialPhase)
    loss = spec.build(built.context.build_context).double()
    return AdversarialPhase(built.spec, built.context, built.target, built.discriminator, [loss])


@pytest.mark.parametrize("parts", [1, 2])
def test_its_own_objective_trains_it_and_the_generator_does_not(small_corpus: Path, parts: int) -> None:
    torch.manual_seed(0)
    adversarial = phase(small_corpus, EstimatorSpec(), parts)
    (loss,) = adversarial.losses
    before = {name: parameter.detach().clone() for name, parameter in loss.named_parameters()}
    values = [adversarial.step(number) for number in range(3)]
    moved = {name: not torch.equal(parameter, before[name]) for name, parameter in loss.named_parameters()}
    assert moved == {"map.weight": True, "map.bias": True, "fixed": False}
    assert {"objective_estimate", "objective_gradient", "estimate"} <= values[0].keys()
    assert adversarial.optimizers["losses"].parameters == [loss.map.weight, loss.map.bias]
    assert "0.map.weight" in adversarial.modules["losses"].state_dict(), "what a resumed run restores"


def test_a_weight_that_nothing_trains_is_refused(small_corpus: Path) -> None:
    with pytest.raises(hm.SpecError, match=r"loss untrained: expected an objective of its own .* got 1 parameters"):
        phase(small_corpus, UntrainedSpec())


def test_the_kit_asks_for_an_objective() -> None:
    def status(spec: hm.LossSpec) -> dict[str, str]:
        return {result.check.name: result.status for result in run_checks("loss", spec)}

    assert status(UntrainedSpec())["loss-trains-its-parameters"] == "failed"


class NothingSpec(hm.LossSpec):
    """A loss that returns nothing."""

    type: Literal["nothing"] = "nothing"

    def build(self, context: hm.BuildContext) -> hm.Loss:
        return Nothing(self)


class Nothing(hm.Loss):
    def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Mapping[str, Tensor]:
        return None  # type: ignore[return-value]


def test_a_loss_that_returns_nothing_is_named(small_corpus: Path) -> None:
    adversarial = phase(small_corpus, NothingSpec())
    with pytest.raises(hm.OutputError, match=r"^loss nothing: expected forward to return scalar .*, got None"):
        adversarial.step(0)


@pytest.mark.parametrize(
    ("part", "wrong", "message"),
    [
        ("generator", lambda motion: motion[:, 1:], "generator ms-sync: expected forward to return motion"),
        (
            "audio_encoder",
            lambda features: features[:, 1:],
            "audio encoder log-mel: expected forward to return features",
        ),
    ],
)
def test_other_parts_are_named_in_training(
    small_corpus: Path, monkeypatch: pytest.MonkeyPatch, part: str, wrong: Any, message: str
) -> None:
    adversarial = phase(small_corpus, EstimatorSpec())
    module = getattr(adversarial.context.pipeline, part)
    forward = module.forward
    monkeypatch.setattr(module, "forward", lambda *inputs, **named: wrong(forward(*inputs, **named)))
    with pytest.raises(hm.OutputError, match=f"^{message}"):
        adversarial.step(0)
