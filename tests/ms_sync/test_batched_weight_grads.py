"""Gradients that are computed once for all frames, against those of plain backpropagation through time."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from headmotion.core.interfaces.specs import BuildContext
from headmotion.ms_sync import batched_weight_grads as deferred
from headmotion.ms_sync import generator as module
from headmotion.ms_sync.generator import MSSyncGenerator
from headmotion.ms_sync.specs import MSSyncGeneratorSpec

NARROW = {"hidden_size": 16, "pose_size": 8, "audio_size": 8, "audio_widths": (8, 8, 8), "branch_size": 8}


@pytest.fixture
def generator() -> MSSyncGenerator:
    torch.manual_seed(0)
    context = BuildContext(SimpleNamespace(points=5, dims=2), 26)  # type: ignore[arg-type]
    return MSSyncGeneratorSpec.model_validate(NARROW).build(context).double()


def motion(generator: MSSyncGenerator) -> Tensor:
    torch.manual_seed(1)
    return generator(torch.rand(3, 2, 5, 2).double(), torch.randn(3, 4 * 9, 26).double())


@pytest.mark.parametrize("ahead", [True, False])
def test_gradients_are_those_of_plain_backpropagation(
    generator: MSSyncGenerator, ahead: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "worth_hearing", lambda *_: ahead)
    parameters = dict(generator.named_parameters())
    found = []
    for defer in (deferred.deferring, lambda branches: branches):
        monkeypatch.setattr(module, "deferring", defer)
        made = motion(generator)
        found.append((made, torch.autograd.grad(made.sin().sum(), list(parameters.values()))))
    torch.testing.assert_close(*found, atol=1e-10, rtol=1e-10)


def test_a_second_rollout_and_a_second_backward_add_up(generator: MSSyncGenerator) -> None:
    weight = generator.branches.trunk[1].expand.weight
    made = motion(generator)
    made.sum().backward(retain_graph=True)
    once = weight.grad.clone()
    made.sum().backward()
    motion(generator).sum().backward()
    torch.testing.assert_close(weight.grad, 3 * once)


def test_nothing_is_deferred_without_gradients_of_weights_or_under_autocast(generator: MSSyncGenerator) -> None:
    branches = generator.branches
    assert deferred.deferring(branches) is not branches
    with torch.autocast("cpu", torch.bfloat16):
        assert deferred.deferring(branches) is branches
    with torch.no_grad():
        assert deferred.deferring(branches) is branches
    generator.requires_grad_(False)
    assert deferred.deferring(branches) is branches


def test_gradients_for_the_input_alone_need_no_rows(generator: MSSyncGenerator) -> None:
    torch.manual_seed(1)
    audio = torch.randn(3, 4 * 9, 26).double().requires_grad_()
    made = generator(torch.rand(3, 2, 5, 2).double(), audio)
    (alone,) = torch.autograd.grad(made.sum(), audio, retain_graph=True)
    made.sum().backward()
    torch.testing.assert_close(audio.grad, alone)
