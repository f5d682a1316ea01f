from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import headmotion as hm
from headmotion.core.interfaces.syncer import Syncer
from headmotion.data.clip import Clip
from headmotion.data.corpus import Corpus, open_corpora, write_corpus
from headmotion.pipeline.pipeline import Pipeline
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.syncer_pyramid import SyncerPyramid
from headmotion.training.av_offset_check import offset_warnings


class Loudness(Syncer):
    """Embeds the loudness of each frame, and the distance between the first two points."""

    window = 5

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def embed_audio(self, audio: Tensor) -> Tensor:
        return self._centered(audio.mean(-1).unflatten(1, (-1, 4))[:, :, :3].mean(-1))  # type: ignore[no-untyped-call]

    def embed_motion(self, motion: Tensor) -> Tensor:
        return self._centered((motion[:, :, 0] - motion[:, :, 1]).norm(dim=-1).log())

    def _centered(self, values: Tensor) -> Tensor:
        return values - values.mean(1, keepdim=True)


def clip(name: str, late: int, rng: np.random.Generator) -> Clip:
    """Return white noise whose loudness the first two points follow, with the sound some frames late."""
    loudness = np.exp(rng.uniform(-5, -1, 60)).astype(np.float32)
    landmarks = np.repeat(rng.uniform(0, 200, (1, 68, 2)), 60, axis=0).astype(np.float32)
    landmarks[:, 1] = landmarks[:, 0]
    landmarks[:, 1, 0] += 100 * loudness
    sound = rng.normal(0, 1, 60 * 640).astype(np.float32) * np.repeat(np.roll(loudness, late), 640)
    return Clip(name, "speaker", "train", landmarks, sound.clip(-1, 1), Fraction(25))


@pytest.fixture
def pipeline() -> Pipeline:
    return hm.build({"generator": {"type": "ms-sync", "preset": "small", "hidden_size": 8}}, device="cpu")


@pytest.fixture
def clips(tmp_path: Path) -> Iterator[list[Clip]]:
    rng = np.random.default_rng(3)
    yield [clip(f"clip{late:+d}", late, rng) for late in (0, 1, 3, -4)]


def corpus_of(clips: list[Clip], folder: Path) -> Corpus:
    return open_corpora([write_corpus(folder, clips)])


def test_clips_whose_sound_is_shifted_are_named_with_their_offset(
    clips: list[Clip], pipeline: Pipeline, tmp_path: Path
) -> None:
    syncers = SyncerPyramid([Loudness()], Pyramid(levels=1)).train()
    (text,) = offset_warnings(syncers, pipeline, corpus_of(clips, tmp_path / "corpus"))
    assert "2 of 4 clips" in text and "clip+3 (-3), clip-4 (+4)" in text and "\n" not in text
    assert syncers.training


def test_a_correct_corpus_gives_no_warning(clips: list[Clip], pipeline: Pipeline, tmp_path: Path) -> None:
    syncers = SyncerPyramid([Loudness()], Pyramid(levels=1))
    before = torch.get_rng_state()
    assert list(offset_warnings(syncers, pipeline, corpus_of(clips[:2], tmp_path / "corpus"))) == []
    assert torch.equal(before, torch.get_rng_state())


def test_clips_too_short_for_one_window_give_no_warning(clips: list[Clip], pipeline: Pipeline, tmp_path: Path) -> None:
    late = clips[2]
    short = Clip("short", "speaker", "train", late.landmarks[:4], late.audio[: 4 * 640], late.fps)
    syncers = SyncerPyramid([Loudness()], Pyramid(levels=1))
    assert list(offset_warnings(syncers, pipeline, corpus_of([short], tmp_path / "corpus"))) == []
