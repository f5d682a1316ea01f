"""Packed weights change the time that a rollout takes, not its result."""

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import headmotion as hm
from headmotion.ms_sync import generator, packed
from headmotion.ms_sync.generator import Branches, MSSyncGenerator
from headmotion.ms_sync.packed import CLIPS, FRAMES, PackedLinear, packing


@pytest.fixture(scope="module")
def wide() -> MSSyncGenerator:
    spec = {"type": "ms-sync", "preset": "small", "branch_size": 256, "expansion": 4}
    network = hm.build({"generator": spec}, device="cpu").generator
    assert isinstance(network, MSSyncGenerator)
    return network


def rollout(network: MSSyncGenerator, clips: int = CLIPS, frames: int = FRAMES) -> Tensor:
    chance = torch.Generator().manual_seed(0)
    reference = torch.rand(clips, 3, 68, 2, generator=chance)
    return network(reference, torch.randn(clips, 4 * frames, 26, generator=chance))


def layers(branches: Branches) -> Iterator[PackedLinear]:
    return (module for module in branches.modules() if isinstance(module, PackedLinear))


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many packed layers each rollout had."""
    counts: list[int] = []

    def counted(branches: Branches, clips: int, frames: int) -> Branches:
        chosen = packing(branches, clips, frames)
        counts.append(len(list(layers(chosen))))
        return chosen

    monkeypatch.setattr(generator, "packing", counted)
    return counts


@pytest.mark.skipif(not packed.available(), reason="this torch cannot pack weights")
@torch.inference_mode()
def test_packed_weights_give_the_same_motion(
    wide: MSSyncGenerator, used: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = rollout(wide)
    monkeypatch.setattr(packed, "available", lambda: False)
    plain = rollout(wide)
    assert used[0] > 2 and used[1] == 0
    torch.testing.assert_close(fast, plain, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_few_clips_or_frames_are_not_worth_it(wide: MSSyncGenerator, used: list[int]) -> None:
    rollout(wide, clips=CLIPS - 1)
    rollout(wide, frames=FRAMES - 1)
    assert used == [0, 0]


def test_training_is_left_alone(wide: MSSyncGenerator, used: list[int]) -> None:
    rollout(wide).sum().backward()
    assert used == [0]


@torch.inference_mode()
def test_weights_that_change_are_packed_again(wide: MSSyncGenerator) -> None:
    changed = copy.deepcopy(wide)
    before = rollout(changed)
    for weight in changed.branches.leaf.parameters():
        weight.mul_(0.5)
    assert not torch.allclose(before, rollout(changed))
