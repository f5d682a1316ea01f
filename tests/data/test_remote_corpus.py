"""Corpora behind an address: copied shard by shard, checked, and kept."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headmotion.core.errors import CorpusError
from headmotion.data.clip import Clip
from headmotion.data.corpus import join, open_corpora, open_corpus, write_corpus
from headmotion.data.corpus_files import corpus_files, is_remote
from headmotion.data.inspection import inspect_corpus
from headmotion.data.remote_files import RemoteFiles
from headmotion.data.shard_writer import write_shards

fsspec = pytest.importorskip("fsspec")

FACE = {"type": "landmarks68", "dims": 3}


def make(name: str, frames: int = 10) -> Clip:
    rng = np.random.default_rng(len(name) + frames)
    landmarks = rng.normal(100, 30, (frames, 68, 3)).astype(np.float32)
    return Clip(name, "anna", "train", landmarks, rng.uniform(-0.5, 0.5, 640 * frames).astype(np.float32))


@pytest.fixture
def local(tmp_path: Path) -> Path:
    clips = [make("a"), make("b", 20), make("c", 15)]
    return write_shards(tmp_path / "corpus", clips, representation=FACE, shard_bytes=1)


@pytest.fixture(params=["memory", "local"])
def address(request: pytest.FixtureRequest, local: Path) -> Iterator[str]:
    if request.param == "local":
        yield f"local://{local}"
        return
    files = fsspec.filesystem("memory")
    files.put(str(local), "/bucket/corpus", recursive=True)
    yield "memory://bucket/corpus"
    files.rm("/bucket", recursive=True)


def copies(cache: Path) -> set[str]:
    return {path.suffix + path.name[:4] for path in cache.rglob("*") if path.is_file()}


def test_clips_are_read_shard_by_shard(address: str, local: Path, tmp_path: Path) -> None:
    here, there = open_corpus(local), open_corpus(address, cache=tmp_path / "cache")
    assert len(copies(tmp_path / "cache")) == 1, "the index only"
    assert np.array_equal(there[1].landmarks, here[1].landmarks)
    assert len(copies(tmp_path / "cache")) == 2, "and one shard"
    part = there.read(1, ["motion", "audio"], 2, 3)
    assert np.array_equal(part.motion, here[1].landmarks[2:5])
    sent = pickle.loads(pickle.dumps(there))
    assert [clip.id for clip in sent] == ["a", "b", "c"] and len(copies(tmp_path / "cache")) == 4
    assert there.entries[0].folder == address and there.sources == {"corpus"}
    assert np.array_equal(there.weights(), here.weights())


def test_copies_are_used_again(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = open_corpus(address, cache=tmp_path / "cache")
    list(corpus)
    reopened = open_corpus(address, cache=tmp_path / "cache")
    reader: Any = reopened.entries[0].reader
    monkeypatch.setattr(type(reader.files._files), "get_file", None)
    assert [clip.id for clip in reopened] == ["a", "b", "c"]


def test_a_damaged_copy_is_made_again(address: str, tmp_path: Path) -> None:
    corpus = open_corpus(address, cache=tmp_path / "cache")
    list(corpus)
    for path in (tmp_path / "cache").rglob("*.safetensors"):
        path.write_bytes(b"half")
    assert [clip.id for clip in open_corpus(address, cache=tmp_path / "cache")] == ["a", "b", "c"]


def test_what_is_damaged_there(local: Path, tmp_path: Path) -> None:
    address = f"local://{local}"
    corpus = open_corpus(address, cache=tmp_path / "cache")
    shard = local / "shards/00000.safetensors"
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    with pytest.raises(CorpusError, match="with the sha256 of its header") as raised:
        corpus[0]
    assert "\n" not in str(raised.value) and address in str(raised.value)
    assert inspect_corpus(local).is_intact is False
    shard.write_bytes(content[:-1])
    with pytest.raises(CorpusError, match="bytes in shards/00000"):
        open_corpus(address, cache=tmp_path / "cache")
    shard.unlink()
    with pytest.raises(CorpusError, match=r"the file shards/00000\.safetensors, got no such file"):
        open_corpus(address, cache=tmp_path / "cache")
    assert corpus[1].id == "b" and len(list((tmp_path / "cache").rglob("*.safetensors"))) == 2


def test_the_cache_has_a_size(address: str, local: Path, tmp_path: Path) -> None:
    sizes = [path.stat().st_size for path in (local / "shards").iterdir()]
    index = (local / "index.safetensors").stat().st_size
    corpus = open_corpus(address, cache=tmp_path / "cache", cache_bytes=index + max(sizes))
    for _ in range(2):
        assert [clip.id for clip in corpus] == ["a", "b", "c"]
        used = sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file())
        assert used <= index + max(sizes)


def test_addresses(local: Path, tmp_path: Path) -> None:
    assert [is_remote(path) for path in ("s3://b/c", "memory://x", "http://h/c", "file:///x", "C:\\x", "a/b")] == [
        *(True, True, True, False, False, False)
    ]
    assert [clip.id for clip in open_corpus(f"file://{local}")] == ["a", "b", "c"], "a folder, which is not copied"
    assert len(join([open_corpora([str(local)]), open_corpus(f"file://{local}")])) == 6
    for address, message in (
        ("nothing://x/y", "an address that fsspec can open, got Protocol not known: nothing"),
        (f"local://{tmp_path}/none", "corpus.json at the address"),
        (f"local://{write_corpus(tmp_path / 'pairs', [make('a')])}", "folders of pairs are read on this machine"),
    ):
        with pytest.raises(CorpusError, match=message) as raised:
            open_corpus(address)
        assert "\n" not in str(raised.value)


def test_without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(CorpusError, match=r"pip install 'headmotion\[remote\]'"):
        open_corpus("s3://bucket/corpus")
    with pytest.raises(CorpusError, match="the package fsspec"):
        corpus_files("memory://x")


def test_the_usual_cache_is_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    files = corpus_files("memory://x")
    assert isinstance(files, RemoteFiles) and files.cache == tmp_path / ".cache/headmotion"
