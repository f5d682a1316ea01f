import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import headmotion as hm
from headmotion.core.errors import CorpusError, TrainingError
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpora, write_corpus
from headmotion.training.batches import Batches
from headmotion.training.crop_variation import mirrored
from headmotion.training.crops import Crop
from headmotion.training.recipe import load_recipe
from headmotion.training.resample_time import resample_time
from headmotion.training.settings import DataSpec


def test_steps_lie_at_multiples_of_the_stretch() -> None:
    ramp = torch.arange(12.0).reshape(1, 12, 1).repeat(3, 1, 2)
    slow, same, fast = resample_time(ramp, torch.tensor([0.5, 1.0, 1.75]), 7)[..., 0]
    assert slow.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert torch.equal(same, torch.arange(7.0))
    assert fast.tolist() == [0, 1.75, 3.5, 5.25, 7, 8.75, 10.5]
    assert resample_time(ramp[:1], torch.tensor([4.0]), 5)[0, :, 0].tolist() == [0, 4, 8, 11, 11]


class SampleEncoder(torch.nn.Module):
    """Encodes each step as its first sample."""

    hop, look_ahead, sample_rate, channels = 160, 0, 16_000, 1

    def forward(self, wave: Tensor, steps: int) -> Tensor:
        return wave[:, : steps * self.hop : self.hop, None]


@pytest.mark.parametrize("stretch", [0.0, 0.2])
def test_motion_and_sound_change_together(tmp_path: Path, stretch: float) -> None:
    """Both hold the time in seconds, so each frame must agree with the audio step at which it lies."""
    frames = 60
    square = np.array([[0, 0], [100, 0], [0, 100], [100, 100]], np.float32)
    moved = square[None] + 10 * np.arange(frames, dtype=np.float32)[:, None, None] / 25
    wave = np.arange(640 * frames, dtype=np.float32) / 16_000 / 4
    write_corpus(tmp_path / "c", [Clip("ramp", "s", "train", np.repeat(moved, 17, axis=1), wave)])
    spec = DataSpec(batch_size=8, time_stretch=stretch, from_start=1.0)
    pipe = hm.build(load_recipe("smoke").pipeline, device="cpu")
    batches = Batches(open_corpora([tmp_path / "c"]), spec, SampleEncoder(), pipe.context(), 50, seed=2)  # type: ignore[arg-type]
    batch = batches(0)
    assert batch.motion.shape == (8, 50, 68, 2) and batch.audio.shape == (8, 200, 1)
    time_in_audio = batch.audio[:, ::4, 0] / batch.audio[:, 4:5, 0]  # in the time that a frame takes; loudness cancels
    position = batch.motion[:, :, 0, 1] - batch.motion[:, :1, 0, 1]
    torch.testing.assert_close(position / position[:, 1:2], time_in_audio, atol=1e-2, rtol=1e-3)
    box = (batch.motion[:, 0].amax(1) - batch.motion[:, 0].amin(1))[:, 1]
    speeds = position[:, 1] / box  # in box heights per frame; size cancels
    assert bool(speeds.std() > 0.03 * speeds.mean()) == (stretch > 0)


def make_batches(corpus: Path, **changes: object) -> Batches:
    pipe = hm.build(load_recipe("smoke").pipeline, device="cpu")
    clips = open_corpora([corpus]).select(split="train")
    spec = DataSpec.model_validate({"batch_size": 6} | changes)
    return Batches(clips, spec, pipe.audio_encoder, pipe.context(), 30, seed=1)


def test_a_batch_is_a_function_of_its_step(small_corpus: Path) -> None:
    left, right = make_batches(small_corpus), make_batches(small_corpus)
    right(0)
    assert torch.equal(left(5).motion, right(5).motion) and torch.equal(left(5).audio, right(5).audio)
    assert not torch.equal(left(5).motion, left(6).motion)
    assert left(5).motion.shape == (6, 30, 68, 2) and left(5).audio.shape == (6, 120, 26)


def test_motion_and_audio_of_a_batch_belong_together(small_corpus: Path) -> None:
    batch = make_batches(small_corpus, augment=False, batch_size=40)(0)
    opening = (batch.motion[:, :, 62] - batch.motion[:, :, 66]).norm(dim=-1)
    loudness = batch.audio.mean(-1).unflatten(1, (30, 4)).mean(2)  # type: ignore[no-untyped-call]

    def correlation(shift: int) -> float:
        pairs = torch.stack([opening[:, 8:-8].flatten(), loudness[:, 8 + shift : 22 + shift].flatten()])
        return float(torch.corrcoef(pairs)[0, 1])

    shifts = range(-8, 9)
    assert abs(max(shifts, key=correlation)) <= 2


def test_clips_that_are_too_short_are_reported(small_corpus: Path) -> None:
    pipe = hm.build(load_recipe("smoke").pipeline, device="cpu")
    with pytest.raises(hm.CorpusError, match=r"400 frames, got none among 8, of which the longest has \d+; set"):
        Batches(open_corpora([small_corpus]), DataSpec(), pipe.audio_encoder, pipe.context(), 400, seed=1)


# Python 3.12 and later warn about forks in a process with several threads, as every process with torch is.
forks = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def make_batches_with_workers(corpus: Path, workers: int, steps: int = 5) -> Batches:
    pipe = hm.build(load_recipe("smoke").pipeline, device="cpu")
    clips = open_corpora([corpus])
    spec = DataSpec(batch_size=6, workers=workers)
    return Batches(clips, spec, pipe.audio_encoder, pipe.context(), 30, seed=1, steps=steps)


@forks
def test_workers_read_the_same_batches_bit_for_bit(small_corpus: Path) -> None:
    without, with_workers = make_batches_with_workers(small_corpus, 0), make_batches_with_workers(small_corpus, 2)
    torch.manual_seed(3)
    for step in (0, 1, 2, 1, 2, 3, 4):
        expected, actual = without(step), with_workers(step)
        assert torch.equal(actual.motion, expected.motion) and torch.equal(actual.audio, expected.audio)
        assert actual.clips == expected.clips and len(actual.clips) == 6
    after = torch.rand(3)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(3)), "reading drew from the training's random numbers"


def fail(*_: object) -> None:
    """Raise an error. Outside the test, because a worker that is not forked imports it."""
    raise CorpusError("clip a", "a whole file", "half of it", "copy it anew")


@forks
def test_an_error_in_a_worker_is_the_error_itself(small_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_worker = make_batches_with_workers(small_corpus, 1)
    monkeypatch.setattr(with_worker.sampler.cropper, "crop", fail)
    with pytest.raises(CorpusError) as caught:
        with_worker(0)
    assert str(caught.value) == "clip a: expected a whole file, got half of it; copy it anew"


def die(*_: object) -> None:
    """End the process, as the system does where memory runs out."""
    os._exit(9)


@forks
def test_a_worker_that_dies_is_one_error(small_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_worker = make_batches_with_workers(small_corpus, 1)
    monkeypatch.setattr(with_worker.sampler.cropper, "crop", die)
    with pytest.raises(TrainingError, match=r"^data: expected worker processes that stay alive, got DataLoader worker"):
        with_worker(0)


def test_a_batch_in_which_nothing_is_mirrored_stays_as_it_is() -> None:
    """A representation's flip is not asked for none."""
    motion, flags = torch.rand(2, 3, 68, 2), torch.zeros(2)
    crops = Crop(motion, torch.zeros(2, 0), torch.ones(2), flags.bool(), flags)
    face = hm.build({}, device="cpu").representation
    assert mirrored(crops, face, ()) is crops
    half = mirrored(crops._replace(is_mirrored=torch.tensor([False, True])), face, ())
    assert torch.equal(half.motion[0], motion[0]) and torch.equal(half.motion[1], face.flip(motion[1]))
