"""Tracks and lengths: what a corpus says without reading clips, and ranges of frames that are read alone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from headmotion.core.errors import CorpusError
from headmotion.data.clip import Clip, sample_count
from headmotion.data.clip_tracks import MotionShape
from headmotion.data.corpus import Corpus, join, open_corpus, write_corpus
from headmotion.data.shard_writer import write_shards

FACE = {"type": "landmarks68", "dims": 3}


def make(name: str, frames: int = 10, fps: Fraction = Fraction(25)) -> Clip:
    rng = np.random.default_rng(len(name) + frames)
    landmarks = rng.normal(100, 30, (frames, 68, 3)).astype(np.float32)
    audio = (rng.integers(-32768, 32768, sample_count(frames, fps)) / 32768).astype(np.float32)
    return Clip(name, "anna", "train", landmarks, audio, fps)


CLIPS = [make("a"), make("b", 20), replace(make("c", 15), speaker="ben", split="val")]


@pytest.fixture(params=["pairs", "shards"])
def corpus(request: pytest.FixtureRequest, tmp_path: Path) -> Corpus:
    if request.param == "pairs":
        return open_corpus(write_corpus(tmp_path / "c", CLIPS))
    return open_corpus(write_shards(tmp_path / "c", CLIPS, representation=FACE, shard_bytes=40_000))


def test_lengths_are_known_without_reading_a_clip(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    for reader in {id(entry.reader): entry.reader for entry in corpus.entries}.values():
        monkeypatch.setattr(reader, "read", None)
    assert corpus.frame_counts.tolist() == [10, 20, 15] and corpus.frame_counts.dtype == np.int64
    assert corpus.select("val").frame_counts.tolist() == [15]
    assert join([corpus.select("val"), corpus]).frame_counts.tolist() == [15, 10, 20, 15]
    assert corpus.motion_shapes() == {MotionShape(68, 3, Fraction(25)): "a"}
    assert corpus.tracks == {"motion", "audio", "wave"} and corpus.label_names == () and corpus.picture_size is None
    assert corpus.id_of(-1) == "c"


def test_a_range_of_frames_is_read(corpus: Corpus) -> None:
    part = corpus.read(1, {"motion", "audio"}, 5, 8)
    assert np.array_equal(part.motion, CLIPS[1].landmarks[5:13]) and part.motion.dtype == np.float32
    assert np.array_equal(part.audio, CLIPS[1].audio[5 * 640 : 13 * 640]) and part.audio.dtype == np.float32
    assert part.frames is part.labels is None
    whole = corpus.read(1, ["motion", "wave"])
    assert np.array_equal(whole.motion, CLIPS[1].landmarks) and np.array_equal(whole.audio, CLIPS[1].audio)
    assert corpus.read(1, ["motion"]).audio is None and corpus.read(1, ["audio"]).motion is None


def test_audio_after_the_frames_is_read_as_far_as_there_is_any(corpus: Corpus) -> None:
    assert np.array_equal(corpus.read(0, ["audio"], 2, 3, audio_after_s=0.1).audio, CLIPS[0].audio[1280:4800])
    assert np.array_equal(corpus.read(0, ["audio"], 2, 8, audio_after_s=0.1).audio, CLIPS[0].audio[1280:])


def test_samples_of_a_range_at_a_rate_with_no_whole_number_of_them(tmp_path: Path) -> None:
    clip = make("a", 31, Fraction(30000, 1001))
    corpus = open_corpus(write_shards(tmp_path / "c", [clip], representation=FACE))
    parts = [corpus.read(0, ["audio"], first, 1).audio for first in range(31)]
    assert np.array_equal(np.concatenate(parts), clip.audio)


@pytest.mark.parametrize(("first", "count"), [(-1, 2), (0, 0), (0, 11), (10, None), (3, -1)])
def test_frames_that_a_clip_does_not_have(corpus: Corpus, first: int, count: int | None) -> None:
    with pytest.raises(CorpusError, match="clip a: expected frames among its 10"):
        corpus.read(0, ["motion"], first, count)


def test_tracks_that_a_corpus_does_not_have(corpus: Corpus) -> None:
    with pytest.raises(CorpusError, match="the track 'frames' in all clips, got audio, motion, wave; headmotion prep"):
        corpus.read(0, ["motion", "frames"])


def test_a_length_that_is_damaged(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "c", CLIPS)
    for content in (b"nothing", b""):
        (folder / "a.npz").write_bytes(content)
        with pytest.raises(CorpusError, match=r"landmarks \[T, P, D\] in a readable \.npz") as raised:
            open_corpus(folder).frame_counts  # noqa: B018
        assert "\n" not in str(raised.value)
    np.savez(folder / "a.npz", landmarks=np.zeros((3, 4)))
    with pytest.raises(CorpusError, match=r"clip .*a: expected landmarks"):
        open_corpus(folder).frame_counts  # noqa: B018
