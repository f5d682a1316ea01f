"""Gradients that are computed once for all frames, against those of plain backpropagation through time."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from headmotion.core.interfaces.specs import BuildContext
from headmotion.ms_sync import generator as generator_module
from headmotion.ms_sync.batched_weight_grads import with_batched_grads
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


def test_gradients_are_those_of_plain_backpropagation(
    generator: MSSyncGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = dict(generator.named_parameters())
    results = []
    for replace in (with_batched_grads, lambda branches: branches):
        monkeypatch.setattr(generator_module, "with_batched_grads", replace)
        generated = motion(generator)
        results.append((generated, torch.autograd.grad(generated.sin().sum(), list(parameters.values()))))
    torch.testing.assert_close(*results, atol=1e-10, rtol=1e-10)


def test_a_second_rollout_and_a_second_backward_add_up(generator: MSSyncGenerator) -> None:
    weight = generator.branches.trunk[1].expand.weight
    generated = motion(generator)
    generated.sum().backward(retain_graph=True)
    once = weight.grad.clone()
    generated.sum().backward()
    motion(generator).sum().backward()
    torch.testing.assert_close(weight.grad, 3 * once)


def test_layers_are_not_replaced_without_gradients_of_weights_or_under_autocast(generator: MSSyncGenerator) -> None:
    branches = generator.branches
    assert with_batched_grads(branches) is not branches
    with torch.autocast("cpu", torch.bfloat16):
        assert with_batched_grads(branches) is branches
    with torch.no_grad():
        assert with_batched_grads(branches) is branches
    generator.requires_grad_(False)
    assert with_batched_grads(branches) is branches


def test_gradients_of_the_input_alone_need_no_gradients_of_weights(generator: MSSyncGenerator) -> None:
    torch.manual_seed(1)
    audio = torch.randn(3, 4 * 9, 26).double().requires_grad_()
    generated = generator(torch.rand(3, 2, 5, 2).double(), audio)
    (of_input_alone,) = torch.autograd.grad(generated.sum(), audio, retain_graph=True)
    generated.sum().backward()
    torch.testing.assert_close(audio.grad, of_input_alone)
