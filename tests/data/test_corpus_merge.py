"""Corpora become one, and grow, without a reader noticing; what fails or is killed leaves them as they were."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from format1 import write_format1

from headmotion.core.errors import CorpusError
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.corpus_folder import claim_folder
from headmotion.data.corpus_merge import append_clips, merge_corpora
from headmotion.data.pictures import encode_pictures
from headmotion.data.shard_writer import write_shards

FACE = {"type": "landmarks68", "dims": 3}


def make(name: str, frames: int = 10, speaker: str = "anna") -> Clip:
    rng = np.random.default_rng(sum(name.encode()) + frames)
    landmarks = rng.normal(100, 30, (frames, 68, 3)).astype(np.float32)
    audio = (rng.integers(-32768, 32768, frames * 640) / 32768).astype(np.float32)
    return Clip(name, speaker, "train", landmarks, audio, checks={"name": name})


def write(folder: Path, *clips: Clip, **options: object) -> Path:
    return write_shards(folder, clips, representation=FACE, shard_bytes=40_000, **options)  # type: ignore[arg-type]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


CLIPS = [make("a"), make("b", 20, "ben"), make("c", 15), make("d", 12, "cleo"), make("e", 9, "ben")]


def assert_holds(folder: Path, clips: list[Clip]) -> None:
    corpus = open_corpus(folder)
    assert [entry.id for entry in corpus.entries] == [clip.id for clip in clips]
    for clip, back in zip(clips, corpus, strict=True):
        assert np.array_equal(back.landmarks, clip.landmarks) and np.array_equal(back.audio, clip.audio)
        assert (back.speaker, back.checks) == (clip.speaker, clip.checks)


def test_parts_become_one(tmp_path: Path) -> None:
    parts = [write(tmp_path / "1", *CLIPS[:2]), write(tmp_path / "2", *CLIPS[2:4]), write(tmp_path / "3", CLIPS[4])]
    merged = merge_corpora(tmp_path / "all", parts)
    assert_holds(merged, CLIPS)
    assert_holds(parts[0], CLIPS[:2])
    one = write(tmp_path / "one", *CLIPS)
    assert content(merged)["index.safetensors"] == content(one)["index.safetensors"], "as if written at once"
    assert open_corpus(merged).speakers == {"anna", "ben", "cleo"}
    assert_holds(merge_corpora(tmp_path / "again", [merged, write(tmp_path / "4", make("z"))]), [*CLIPS, make("z")])


def test_shards_are_copied_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [write(tmp_path / "1", *CLIPS[:2]), write(tmp_path / "2", CLIPS[2])]

    def no_links(source: object, target: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", no_links)
    assert_holds(merge_corpora(tmp_path / "all", parts), CLIPS[:3])


def test_parts_that_do_not_fit(tmp_path: Path) -> None:
    first = write(tmp_path / "1", CLIPS[0])
    flat = replace(CLIPS[1], landmarks=CLIPS[1].landmarks[..., :2])
    other = write_shards(tmp_path / "flat", [flat], representation={"type": "landmarks68", "dims": 2})
    labeled = write(tmp_path / "labels", replace(CLIPS[1], labels=np.ones((20, 1)), label_names=("x",)))
    black = encode_pictures(np.zeros((20, 8, 8, 3), np.uint8))
    pictures = write(tmp_path / "pictures", replace(CLIPS[1], frames=black))
    old = write_format1(tmp_path / "old", [CLIPS[1]])
    same = write(tmp_path / "same", CLIPS[0])
    damaged = write(tmp_path / "damaged", CLIPS[1])
    index = bytearray((damaged / "index.safetensors").read_bytes())
    index[-1] ^= 1
    (damaged / "index.safetensors").write_bytes(index)
    for part, message in (
        (other, "the representation of the first part"),
        (labeled, "the labels of the first part"),
        (pictures, "pictures of None, as in the first part"),
        (old, "format 2, got format 1; import_folder"),
        (same, "'a' twice"),
        (damaged, "that its header names"),
        (tmp_path / "none", "a folder with corpus.json"),
    ):
        with pytest.raises(CorpusError, match=message) as raised:
            merge_corpora(tmp_path / "all", [first, part])
        assert "\n" not in str(raised.value)
    with pytest.raises(CorpusError, match="at least one part"):
        merge_corpora(tmp_path / "all", [])
    assert not (tmp_path / "all").exists()
    with pytest.raises(CorpusError, match="a corpus already"):
        merge_corpora(same, [first])


def test_a_corpus_grows(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", *CLIPS[:2])
    before = open_corpus(folder)
    sent = pickle.dumps(before)
    append_clips(folder, CLIPS[2:4])
    assert_holds(folder, CLIPS[:4])
    # Who opened it before sees what it had, also in a process that starts now.
    for reader in (before, pickle.loads(sent)):
        assert [clip.id for clip in reader] == ["a", "b"]
    append_clips(folder, CLIPS[4:], shard_bytes=1)
    assert_holds(folder, CLIPS)
    assert {name for name in content(folder) if name.startswith("index")} == {
        "index-00001.safetensors",
        "index-00002.safetensors",
    }
    assert [clip.id for clip in before] == ["a", "b"]
    assert_holds(merge_corpora(tmp_path / "all", [folder]), CLIPS)


def test_pictures_and_labels_grow(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def full(clip: Clip) -> Clip:
        pictures = encode_pictures(rng.integers(0, 256, (len(clip.landmarks), 8, 12, 3)).astype(np.uint8))
        labels = rng.random((len(clip.landmarks), 2)).astype(np.float32)
        return replace(clip, frames=pictures, labels=labels, label_names=("x", "y"))

    clips = [full(clip) for clip in CLIPS[:3]]
    folder = append_clips(write(tmp_path / "c", clips[0]), clips[1:])
    corpus = open_corpus(merge_corpora(tmp_path / "all", [folder]))
    for number, clip in enumerate(clips):
        read = corpus.read(number, ["frames", "labels"], 2, 3)
        assert clip.frames is not None and np.array_equal(read.frames, clip.frames.read(2, 3))
        assert np.array_equal(read.labels, clip.labels[2:5])  # type: ignore[index]
    with pytest.raises(CorpusError, match=r"pictures of \(8, 12\), like the clips before it"):
        append_clips(folder, [CLIPS[4]])


def test_what_must_not_be_added(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", *CLIPS[:2])
    before = content(folder)

    def broken() -> Iterator[Clip]:
        yield CLIPS[2]
        raise KeyboardInterrupt

    for clips, message in (
        ([], "at least one clip"),
        ([CLIPS[2], make("a")], "'a' twice"),
        ([replace(CLIPS[2], id="../x")], "relative paths"),
        ([replace(CLIPS[2], landmarks=CLIPS[2].landmarks[..., :2])], "landmarks"),
    ):
        with pytest.raises(CorpusError, match=message):
            append_clips(folder, clips)
    with pytest.raises(KeyboardInterrupt):
        append_clips(folder, broken())
    with claim_folder(folder), pytest.raises(CorpusError, match="another process is writing"):
        append_clips(folder, [CLIPS[2]])
    assert content(folder) == before
    with pytest.raises(CorpusError, match=r"a folder with corpus\.json"):
        append_clips(tmp_path / "none", [CLIPS[2]])
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("killed_at", ["shards", "index", "header"])
def test_a_kill_leaves_the_corpus_as_it_was(killed_at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "c", *CLIPS[:2])
    # What a process leaves behind that is killed while it publishes.
    names = {"shards": 1, "index": 2, "header": 3}[killed_at]
    (folder / "shards/00002.safetensors").write_bytes(b"half")
    if names > 1:
        (folder / "index-00001.safetensors").write_bytes(b"half")
    assert_holds(folder, CLIPS[:2])
    append_clips(folder, CLIPS[2:])
    assert_holds(folder, CLIPS)
    header = json.loads((folder / "corpus.json").read_text())
    assert {f"shards/{name}" for name in header["shards"]} == {n for n in content(folder) if n.startswith("shards")}
