"""Corpora of format 1, which earlier versions wrote, are still read; what is damaged is one clear line."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from format1 import write_format1

from headmotion.core.errors import CorpusError
from headmotion.data.clip import Clip, sample_count
from headmotion.data.clip_tracks import MotionShape
from headmotion.data.corpus import join, open_corpus
from headmotion.data.import_folder import import_folder
from headmotion.data.inspection import inspect_corpus
from headmotion.data.shard_header import FileInfo

DIGEST = "0" * 64


def make(name: str, frames: int = 10, fps: Fraction = Fraction(25)) -> Clip:
    rng = np.random.default_rng(len(name) + frames)
    landmarks = rng.normal(100, 30, (frames, 68, 3)).astype(np.float32)
    audio = (rng.integers(-32768, 32768, sample_count(frames, fps)) / 32768).astype(np.float32)
    return Clip(name, "anna", "train", landmarks, audio, fps)


CLIPS = [
    replace(make("a"), license="CC0-1.0", source="made up", weight=2.5, image_size=(480, 640), checks={"jump": 0.5}),
    replace(make("b/c", 20), speaker="", split="val", distribute=True),
    make("d", 15),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_format1(tmp_path / "corpus", CLIPS)


def test_clips_are_read(folder: Path) -> None:
    corpus = open_corpus(folder)
    for clip, back in zip(CLIPS, corpus, strict=True):
        for name in ("id", "speaker", "split", "fps", "weight", "license", "source", "distribute", "image_size"):
            assert getattr(back, name) == getattr(clip, name), name
        assert np.array_equal(back.landmarks, clip.landmarks) and np.array_equal(back.audio, clip.audio)
        assert back.checks == clip.checks and back.frames is back.labels is None
    assert corpus.frame_counts.tolist() == [10, 20, 15] and corpus.tracks == {"motion", "audio", "wave"}
    assert corpus.motion_shapes() == {MotionShape(68, 3, Fraction(25)): "a"}
    part = corpus.read(1, ["motion", "audio"], 3, 5)
    assert np.array_equal(part.motion, CLIPS[1].landmarks[3:8])
    assert np.array_equal(part.audio, CLIPS[1].audio[3 * 640 : 8 * 640])
    sent = pickle.loads(pickle.dumps(corpus))
    assert list(sent.entries) == list(corpus.entries) and sent[2].id == "d"
    assert {clip.license for clip in open_corpus(folder, license="CC BY 4.0")} == {"CC0-1.0", "CC BY 4.0"}


def test_they_become_format_2(folder: Path, tmp_path: Path) -> None:
    old, new = open_corpus(folder), open_corpus(import_folder(folder, tmp_path / "new", quiet=True))
    assert json.loads((tmp_path / "new/corpus.json").read_text())["format"] == 2
    for one, other in zip(old, new, strict=True):
        assert np.array_equal(one.landmarks, other.landmarks) and one.checks == other.checks
    assert np.array_equal(old.weights(), new.weights())
    assert [clip.id for clip in join([new, old])] == ["a", "b/c", "d"] * 2


def test_they_are_inspected(folder: Path) -> None:
    path = folder / "shards/00001.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"abcd")
    report = inspect_corpus(folder)
    (found,) = [finding for finding in report.findings if finding.level == "error"]
    assert [name for name, _ in found.clips] == ["shards/00001.safetensors"]


def edit_header(folder: Path, **changes: object) -> None:
    path = folder / "corpus.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def first_line(folder: Path, **changes: object) -> None:
    """Another first line in the index, and a header that knows of it."""
    lines = (folder / "index.jsonl").read_text().splitlines()
    lines[0] = json.dumps({k: v for k, v in (json.loads(lines[0]) | changes).items() if v is not Ellipsis})
    text = "".join(f"{line}\n" for line in lines).encode()
    (folder / "index.jsonl").write_bytes(text)
    edit_header(folder, index=FileInfo.for_content(text).model_dump())


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: edit_header(f, format="1"), "corpus.json: expected format"),
        (lambda f: edit_header(f, fps="0"), "corpus.json: expected fps"),
        (lambda f: edit_header(f, clips=4), "4 clips of its shards in index.jsonl, got 3 lines"),
        (lambda f: edit_header(f, more=1), "corpus.json: expected no field .more."),
        (lambda f: edit_header(f, shards={"../x.safetensors": {"size": 1, "sha256": DIGEST}}), "corpus.json: expected"),
        (lambda f: edit_header(f, shards={}), "clips of its shards in index.jsonl, got the shard 00000"),
        (lambda f: (f / "index.jsonl").unlink(), "the file index.jsonl"),
        (lambda f: truncate(f / "index.jsonl"), "bytes in index.jsonl"),
        (lambda f: (f / "index.jsonl").write_bytes((f / "index.jsonl").read_bytes()[::-1]), "that its header names"),
        (lambda f: first_line(f, frames="ten"), "index.jsonl: expected frames"),
        (lambda f: first_line(f, id="d"), "3 clips of its shards"),
        (lambda f: first_line(f, id="../x"), r"index.jsonl: expected id: .*within the folder"),
        (lambda f: first_line(f, split=...), "index.jsonl: expected the field .split."),
        (lambda f: first_line(f, shard="../../x.safetensors"), "index.jsonl: expected shard"),
        (lambda f: (f / "shards/00001.safetensors").unlink(), "the file shards/00001.safetensors, got No such file"),
        (lambda f: truncate(f / "shards/00001.safetensors"), "bytes in shards/00001.safetensors"),
        (lambda f: shutil.rmtree(f / "shards"), "the file shards/00000.safetensors"),
    ],
)
def test_damage_that_opening_finds(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(folder)
    with pytest.raises(CorpusError, match=message) as raised:
        open_corpus(folder)
    assert "\n" not in str(raised.value) and str(folder) in str(raised.value) and raised.value.remedy


def test_a_shard_of_other_bytes(folder: Path) -> None:
    path = folder / "shards/00000.safetensors"
    path.write_bytes(bytes(path.stat().st_size))
    corpus = open_corpus(folder)
    with pytest.raises(CorpusError, match=r"'a' in shards/00000\.safetensors"):
        corpus[0]
    assert corpus[2].id == "d"


def test_a_line_of_another_shard(folder: Path) -> None:
    first_line(folder, frames=11)
    with pytest.raises(CorpusError, match=r"float32 \[11, 68, 3\]"):
        open_corpus(folder)[0]
    first_line(folder, frames=10, shard="00001.safetensors")
    with pytest.raises(CorpusError, match=r"'a' in shards/00001\.safetensors"):
        open_corpus(folder)[0]
