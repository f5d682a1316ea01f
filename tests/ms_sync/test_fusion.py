"""Number of dispatched operations, which must not grow with samples, windows or branches."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import headmotion as hm
from headmotion.ms_sync.specs import MSSyncSyncerSpec
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.syncer_pyramid import SyncerPyramid


class Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls += 1
        return func(*args, **(kwargs or {}))


def operations_of_the_sync_loss(batch: int, frames: int) -> int:
    pipe = hm.build({}, device="cpu")
    built = [MSSyncSyncerSpec.model_validate({"preset": "small"}).build(pipe.context()) for _ in range(2)]
    syncers = SyncerPyramid(built, Pyramid(levels=2)).eval()
    motion, audio = torch.randn(batch, frames, 68, 2), torch.randn(batch, 4 * frames, pipe.audio_encoder.channels)
    with Counter() as counter:
        syncers(motion, audio)
    return counter.calls


def operations_of_a_frame(batch: int, levels: int) -> int:
    spec = {"type": "ms-sync", "preset": "small", "levels": levels, "level_lookahead": (0,) * (levels - 1)}
    generator: Any = hm.build({"generator": spec}, device="cpu").generator
    calls = []
    for frames in (8, 9):
        audio = torch.randn(batch, 4 * frames, 26)
        with torch.no_grad(), Counter() as all_operations:
            generator(torch.randn(batch, 3, 68, 2), audio)
        with torch.no_grad(), Counter() as audio_operations:
            generator.audio(audio)
        calls.append(all_operations.calls - audio_operations.calls)
    return calls[1] - calls[0]


def test_the_sync_loss_takes_all_samples_and_windows_at_once() -> None:
    assert operations_of_the_sync_loss(2, 20) == operations_of_the_sync_loss(5, 40)


def test_a_frame_takes_all_samples_and_branches_at_once() -> None:
    assert operations_of_a_frame(1, 2) == operations_of_a_frame(3, 2) == operations_of_a_frame(3, 5)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_frame_takes_a_bounded_number_of_operations(batch: int) -> None:
    assert operations_of_a_frame(batch, 4) < 150
