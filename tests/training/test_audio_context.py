"""Parts that look at the speech around a frame get it where a clip has it, in training and in a stream alike."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import torch
from drawn_corpus import FACE

import headmotion as hm
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.shard_writer import write_shards
from headmotion.renderers.picture_stream import Window
from headmotion.training.batches import Batches
from headmotion.training.settings import DataSpec


@pytest.fixture
def pipe() -> hm.Pipeline:
    return hm.build({"generator": {"type": "ms-sync", "preset": "small"}}, device="cpu")


@pytest.fixture
def corpus(tmp_path: Any) -> Any:
    def clip(number: int) -> Clip:
        sound = 0.1 * torch.randn(40 * 640, generator=torch.Generator().manual_seed(number)).numpy()
        return Clip(f"c{number}", "s", "train", FACE.neutral().expand(40, -1, -1).numpy() * 100, sound, Fraction(25))

    return open_corpus(write_shards(tmp_path / "c", map(clip, range(2)), representation={"type": "landmarks68"}))


@pytest.mark.parametrize("stretch", [0.0, 0.3])
def test_batches_hold_what_follows_the_motion(pipe: hm.Pipeline, corpus: Any, stretch: float, tmp_path: Any) -> None:
    def sample(frames: int, after: int, **changes: Any) -> hm.Sample:
        spec = DataSpec(batch_size=3, from_start=1.0, time_stretch=stretch, **changes)
        context = pipe.context()
        batches = Batches(corpus, spec, pipe.audio_encoder, context, frames, 0, context_frames=1, audio_after=after)
        return batches(0).sample

    plain, short, long = sample(10, 0), sample(10, 2), sample(12, 0)
    assert plain.audio_after is None and short.audio.shape == (3, 44, 26)
    torch.testing.assert_close(short.audio, plain.audio)
    assert short.audio_after is not None and short.audio_after.shape == (3, 8, 26)
    if not stretch:
        torch.testing.assert_close(short.audio_around(1, 2), long.audio)
    cached = sample(10, 2, feature_cache=str(tmp_path / "features"), augment=False)
    assert cached.audio_after is not None and cached.audio_after.shape == (3, 8, 26)


def test_neighbors_of_frames_are_repeated_at_the_ends() -> None:
    motion, audio = torch.zeros(1, 5, 68, 2), torch.arange(12.0).reshape(1, 12, 1)
    sample = hm.Sample(motion[:, :1], motion[:, 1:], audio[:, :10])
    assert sample.audio_around(2, 1).flatten().tolist() == [0, 0, *range(10), 9, 9]
    more = replace(sample, audio_after=audio[:, 10:])
    assert more.audio_around(0, 1).flatten().tolist() == list(range(2, 12))
    window = Window(motion, audio[:, :10], 1, 3)
    assert window.due.shape[1] == 3
    around = window.audio_around(1, 2)
    assert around is not None and around.flatten().tolist() == [*range(10), 9, 9]


def test_phases_read_as_much_speech_as_their_parts_ask_for(pipe: hm.Pipeline, corpus: Any) -> None:
    from headmotion.training.context import frames_after

    class Ahead(hm.Loss):
        audio_context = (1, 3)

        def forward(self, real: hm.Sample, generated: hm.Sample, step: int) -> Any: ...

    assert frames_after([Ahead(hm.resolve_spec("loss", "sync")), pipe.generator]) == 3
