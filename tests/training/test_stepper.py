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


@pytest.mark.parametrize("algorithm", ["adam", "adamw"])
@pytest.mark.parametrize("gap", [1, 2])
def test_updates_are_those_of_torch_for_weights_in_any_order_of_memory(algorithm: str, gap: int) -> None:
    # The first has no gradient in every other step.
    trained, plain = (
        [torch.nn.Parameter(values) for values in (start[2], start[0].mT, start[1, :, ::gap])]
        for start in (torch.arange(36.0).reshape(3, 3, 4).sin() for _ in range(2))
    )
    spec = OptimizerSpec.model_validate({"algorithm": algorithm, "lr": 0.1, "weight_decay": 0.01})
    stepper = Stepper("toy", trained, spec, 10)
    reference = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[algorithm](plain, 0.1, weight_decay=0.01)

    def loss(weights: list[torch.nn.Parameter], number: int) -> torch.Tensor:
        used = weights[number % 2 :]
        return torch.stack([(number * weight + torch.arange(weight.shape[1])).cos().sum() for weight in used]).sum()

    for number in range(6):
        stepper.step(number, {"loss": loss(trained, number)})
        reference.zero_grad()
        loss(plain, number).backward()
        reference.step()
    torch.testing.assert_close(trained, plain)


@pytest.mark.parametrize("gap", [1, 2])
def test_a_restored_optimizer_continues_bit_for_bit(gap: int) -> None:
    def build() -> tuple[torch.nn.Parameter, Stepper]:
        weight = torch.nn.Parameter(torch.arange(12.0).reshape(3, 4).sin().mT[::gap])
        return weight, Stepper("toy", [weight], OptimizerSpec(lr=0.1), 10)

    def take(weight: torch.nn.Parameter, stepper: Stepper, numbers: range) -> None:
        for number in numbers:
            stepper.step(number, {"loss": (number * weight).cos().sum()})

    (weight, stepper), (resumed_weight, resumed) = build(), build()
    take(weight, stepper, range(1, 4))
    resumed_weight.data.copy_(weight.data)
    resumed.restore({name: value.clone() for name, value in stepper.tensors().items()})
    take(weight, stepper, range(4, 8))
    take(resumed_weight, resumed, range(4, 8))
    assert torch.equal(weight, resumed_weight)
