import pytest
import torch

import headmotion as hm
from headmotion.training.schedules import Drops
from headmotion.training.settings import OptimizerSpec
from headmotion.training.stepper import Stepper


def test_a_step_that_is_not_finite_stops_and_changes_nothing() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    stepper = Stepper("toy", [weight], OptimizerSpec(lr=0.1), 10)
    with pytest.raises(hm.TrainingError, match="finite sync"):
        stepper.step(3, {"fine": weight.sum(), "sync": weight.sum() * float("nan")})
    with pytest.raises(hm.TrainingError, match=r"finite gradient.*; the largest term is "):
        stepper.step(3, {"steep": (weight - 1).abs().sqrt().sum()})
    assert torch.equal(weight, torch.ones(2))


def test_the_learning_rate_drops_at_the_end() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    stepper = Stepper("toy", [weight], OptimizerSpec(lr=0.1, lr_drop_fraction=0.2), 10)
    rates = []
    for number in range(10):
        stepper.step(number, {"loss": weight.sum()})
        rates.append(round(stepper.optimizer.param_groups[0]["lr"], 6))
    assert rates == [0.1] * 8 + [0.01] * 2


def test_the_rate_of_a_step_depends_on_its_number_alone() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    spec = OptimizerSpec(lr=0.1, schedule=Drops(at=(0.5,), by=0.5, warm_up=2), lr_drop_fraction=0.25)
    stepper = Stepper("toy", [weight], spec, 8)
    rates = []
    for number in (0, 1, 7, 4):
        stepper.step(number, {"loss": weight.sum()})
        rates.append(stepper.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.05, 0.1, 0.005, 0.05])


@pytest.mark.parametrize(("algorithm", "expected"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)])
def test_both_algorithms_are_those_of_torch(algorithm: str, expected: type[torch.optim.Adam]) -> None:
    ours, theirs = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    spec = OptimizerSpec.model_validate({"algorithm": algorithm, "lr": 0.1, "weight_decay": 0.5})
    Stepper("toy", [ours], spec, 8).step(0, {"loss": ours.square().sum()})
    optimizer = expected([theirs], lr=0.1, weight_decay=0.5)
    theirs.square().sum().backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    assert torch.equal(ours, theirs)
