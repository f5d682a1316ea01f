from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpora, write_corpus
from headmotion.training.batches import Batches
from headmotion.training.recipe import DataSpec, load_recipe
from headmotion.training.time_stretch import resample_time


def test_steps_lie_a_pace_apart() -> None:
    ramp = torch.arange(12.0).reshape(1, 12, 1).repeat(3, 1, 2)
    slow, same, fast = resample_time(ramp, torch.tensor([0.5, 1.0, 1.75]), 7)[..., 0]
    assert slow.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert torch.equal(same, torch.arange(7.0))
    assert fast.tolist() == [0, 1.75, 3.5, 5.25, 7, 8.75, 10.5]
    assert resample_time(ramp[:1], torch.tensor([4.0]), 5)[0, :, 0].tolist() == [0, 4, 8, 11, 11]


class SampleEncoder(torch.nn.Module):
    """The sample at which each step begins."""

    hop, look_ahead, sample_rate = 160, 0, 16_000

    def forward(self, wave: Tensor, steps: int) -> Tensor:
        return wave[:, : steps * self.hop : self.hop, None]


@pytest.mark.parametrize("pace", [0.0, 0.2])
def test_motion_and_sound_change_together(tmp_path: Path, pace: float) -> None:
    """Both hold the time in seconds, so each frame must agree with the audio step at which it lies."""
    frames = 60
    square = np.array([[0, 0], [100, 0], [0, 100], [100, 100]], np.float32)
    moved = square[None] + 10 * np.arange(frames, dtype=np.float32)[:, None, None] / 25
    wave = np.arange(640 * frames, dtype=np.float32) / 16_000 / 4
    write_corpus(tmp_path / "c", [Clip("ramp", "s", "train", np.repeat(moved, 17, axis=1), wave)])
    spec = DataSpec(batch_size=8, time_stretch=pace, from_start=1.0)
    pipe = hm.build(load_recipe("smoke").pipeline, device="cpu")
    batches = Batches(open_corpora([tmp_path / "c"]), spec, SampleEncoder(), pipe.context(), 50, seed=2)  # type: ignore[arg-type]
    batch = batches(0)
    assert batch.motion.shape == (8, 50, 68, 2) and batch.audio.shape == (8, 200, 1)
    heard = batch.audio[:, ::4, 0] / batch.audio[:, 4:5, 0]  # in the time that a frame takes; loudness cancels
    seen = batch.motion[:, :, 0, 1] - batch.motion[:, :1, 0, 1]
    torch.testing.assert_close(seen / seen[:, 1:2], heard, atol=1e-2, rtol=1e-3)
    box = (batch.motion[:, 0].amax(1) - batch.motion[:, 0].amin(1))[:, 1]
    speeds = seen[:, 1] / box  # in box heights per frame; size cancels
    assert bool(speeds.std() > 0.03 * speeds.mean()) == (pace > 0)
