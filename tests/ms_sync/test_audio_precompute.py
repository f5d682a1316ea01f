"""What is taken out of the loop over frames, against the plain block."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from headmotion.core.interfaces.specs import BuildContext
from headmotion.ms_sync import generator as module
from headmotion.ms_sync.audio_precompute import hear, opened, worth_hearing
from headmotion.ms_sync.blocks import GroupedBlock
from headmotion.ms_sync.generator import MSSyncGenerator
from headmotion.ms_sync.specs import MSSyncGeneratorSpec

NARROW = {"hidden_size": 16, "pose_size": 8, "audio_size": 8, "audio_widths": (8, 8, 8), "branch_size": 8}


def narrow(**changes: object) -> MSSyncGenerator:
    torch.manual_seed(0)
    return build(NARROW | changes).eval()


def build(spec: dict[str, object]) -> MSSyncGenerator:
    context = BuildContext(SimpleNamespace(points=5, dims=2), 26)  # type: ignore[arg-type]
    return MSSyncGeneratorSpec.model_validate(spec).build(context)


def block(outputs: int) -> GroupedBlock:
    """With a norm that is not the identity and inputs far from zero mean."""
    torch.manual_seed(0)
    made = GroupedBlock(3, 20, outputs).double()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)
    torch.nn.init.constant_(made.offset, 5.0)
    return made


@pytest.mark.parametrize("outputs", [6, 20])
def test_two_parts_of_the_input_make_the_block_of_the_whole_with_its_gradients(outputs: int) -> None:
    whole, shared = block(outputs), torch.randn(2, 12).double().requires_grad_()
    audio = torch.randn(4, 3, 2, 8).double().requires_grad_()
    plain = [whole(torch.cat([shared.expand(3, -1, -1), each], dim=-1)) for each in audio]
    split = [opened(whole, shared, heard) for heard in hear(whole, audio)]
    torch.testing.assert_close(split, plain, atol=1e-12, rtol=1e-12)
    wanted = [shared, audio, *whole.parameters()]
    gradients = [torch.autograd.grad(torch.stack(each).sin().sum(), wanted) for each in (split, plain)]
    torch.testing.assert_close(*gradients, atol=1e-10, rtol=1e-10)


@torch.no_grad()
def rolled(generator: MSSyncGenerator, batch: int, frames: int) -> Tensor:
    torch.manual_seed(1)
    dtype = generator.lstm.weight_ih.dtype
    return generator(torch.rand(batch, 1, 5, 2, dtype=dtype), torch.randn(batch, 4 * frames, 26, dtype=dtype))


@pytest.mark.parametrize("changes", [{}, {"branch_size": 32}, {"lstm_input": "pose-and-audio", "levels": 1}])
def test_hearing_ahead_changes_no_motion(changes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    generator = narrow(**changes).double()
    plain = rolled(generator, 3, 10)
    monkeypatch.setattr(module, "worth_hearing", lambda *_: True)
    torch.testing.assert_close(rolled(generator, 3, 10), plain, atol=1e-12, rtol=1e-12)
    monkeypatch.setattr(module, "ROWS", 7)  # in several lots
    torch.testing.assert_close(rolled(generator, 3, 10), plain, atol=1e-12, rtol=1e-12)


def test_wide_networks_hear_ahead_and_narrow_ones_do_not() -> None:
    found = {}
    for preset in ("paper", "paper-code", "small"):
        with torch.device("meta"):
            generator = build({"preset": preset})
        found[preset] = worth_hearing(generator.branches.opening, generator.audio.coarser[0].project.out_features)
    assert found == {"paper": True, "paper-code": True, "small": False}
