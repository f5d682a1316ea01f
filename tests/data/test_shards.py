"""Corpora in shards: what is written is read, the same bytes each time, and damage is one clear line."""

import json
import math
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from headmotion.core.errors import CorpusError, HeadmotionError
from headmotion.core.files import is_inside
from headmotion.data import shard_reader
from headmotion.data.array_file import map_arrays, write_arrays
from headmotion.data.clip import Clip, sample_count
from headmotion.data.corpus import open_corpora, open_corpus, write_corpus
from headmotion.data.inspection import inspect_corpus
from headmotion.data.shard_writer import write_shards

FACE = {"type": "landmarks68", "dims": 3}
DIGEST = "0" * 64


def make(name: str, frames: int = 10, fps: Fraction = Fraction(25), points: int = 68, dims: int = 3) -> Clip:
    rng = np.random.default_rng(len(name) + frames)
    landmarks = rng.normal(100, 30, (frames, points, dims)).astype(np.float32)
    audio = (rng.integers(-32768, 32768, sample_count(frames, fps)) / 32768).astype(np.float32)
    return Clip(name, "anna", "train", landmarks, audio, fps)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clips = [make("a"), replace(make("b", 20), speaker="", split="val"), make("c", 15)]
    return write_shards(tmp_path / "corpus", clips, representation=FACE, shard_bytes=40_000)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit_header(folder: Path, **changes: object) -> None:
    path = folder / "corpus.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_written_clips_read_back(tmp_path: Path) -> None:
    full = replace(
        make("a", fps=Fraction(30000, 1001)),
        license="CC0-1.0",
        source="made up",
        weight=2.5,
        image_size=(480, 640),
        distribute=True,
        checks={"av_offset": -2, "faces": [1, 2], "note": None},
    )
    clips = [full, replace(make("b", 31, Fraction(30000, 1001)), speaker="")]
    corpus = open_corpus(write_shards(tmp_path / "corpus", clips, representation=FACE))
    for clip, back in zip(clips, corpus, strict=True):
        for name in (
            "id",
            "speaker",
            "split",
            "fps",
            "weight",
            "license",
            "source",
            "distribute",
            "image_size",
            "checks",
        ):
            assert getattr(back, name) == getattr(clip, name), name
        assert back.landmarks.dtype == back.audio.dtype == np.float32
        assert np.array_equal(back.landmarks, clip.landmarks)
        assert np.array_equal(back.audio, clip.audio), "16-bit samples are kept exactly"
    assert corpus.seconds == pytest.approx(41 * 1001 / 30000)


def test_layout(folder: Path) -> None:
    assert set(content(folder)) == {
        "corpus.json",
        "index.safetensors",
        "shards/00000.safetensors",
        "shards/00001.safetensors",
        "shards/00002.safetensors",
    }
    with safe_open(folder / "shards/00001.safetensors", "numpy") as shard:
        assert set(shard.keys()) == {"motion", "audio"}
        assert shard.get_tensor("audio").dtype == np.int16 and shard.get_tensor("motion").shape == (20, 68, 3)
    with safe_open(folder / "index.safetensors", "numpy") as index:
        assert index.get_tensor("frames").tolist() == [10, 20, 15]
        assert index.get_tensor("id").tobytes() == b"abc" and index.get_tensor("id.offsets").tolist() == [0, 1, 2, 3]
        assert index.get_tensor("speaker").tolist() == [0, 1, 0]
    header = json.loads((folder / "corpus.json").read_text())
    assert (header["format"], header["clips"], header["fps"], header["representation"]) == (2, 3, "25", FACE)


def test_the_same_clips_give_the_same_bytes(tmp_path: Path) -> None:
    clips = [make(f"clip {k}", 10 + k) for k in range(8)]
    one, two = (write_shards(tmp_path / n, clips, representation=FACE, shard_bytes=60_000) for n in ("one", "two"))
    assert content(one) == content(two) and len(content(one)) > 3


names = st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "), min_size=1, max_size=12).filter(
    is_inside
)


@settings(max_examples=25)
@given(
    ids=st.lists(names, min_size=1, max_size=5, unique=True),
    frames=st.integers(1, 12),
    points=st.integers(2, 9),
    shard_bytes=st.integers(1, 20_000),
)
def test_any_printable_id_and_any_shape(ids: list[str], frames: int, points: int, shard_bytes: int) -> None:
    clips = [make(name, frames + k, points=points, dims=2) for k, name in enumerate(ids)]
    with tempfile.TemporaryDirectory() as folder:
        spec = {"type": "keypoints", "points": points}
        write_shards(Path(folder) / "c", clips, representation=spec, shard_bytes=shard_bytes)
        for clip, back in zip(clips, open_corpus(Path(folder) / "c"), strict=True):
            assert back.id == clip.id and np.array_equal(back.landmarks, clip.landmarks)


@pytest.mark.parametrize("ids", [["a/b", "a", "a/landmarks", "b\\c"], ["Zoë", "日本語", "__metadata__"]])
def test_slashes_and_letters_of_all_kinds(ids: list[str], tmp_path: Path) -> None:
    clips = [make(name, 10 + k) for k, name in enumerate(ids)]
    corpus = open_corpus(write_shards(tmp_path / "corpus", clips, representation=FACE))
    assert [(clip.id, len(clip.landmarks)) for clip in corpus] == [(name, 10 + k) for k, name in enumerate(ids)]


def spoilt(**changes: object) -> Callable[[], Iterator[Clip]]:
    return lambda: iter([make("a"), replace(make("b"), **changes)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        (lambda: iter(()), "at least one clip"),
        (lambda: iter([make("a"), make("a")]), "'a' twice"),
        (spoilt(id=""), "ids that can be printed"),
        (spoilt(id="b\nc"), "ids that can be printed"),
        (spoilt(id="b\ud800"), "ids that can be printed"),
        (spoilt(landmarks=np.zeros((10, 68, 2), np.float32)), r"\[T, 68, 3\] of landmarks68"),
        (spoilt(landmarks=np.zeros((10, 5, 3), np.float32)), r"\[T, 68, 3\] of landmarks68"),
        (spoilt(landmarks=np.full((10, 68, 3), np.nan, np.float32)), "NaN"),
        (spoilt(audio=np.zeros(3, np.float32)), "6400 mono samples"),
        (spoilt(split=""), "split"),
        (spoilt(weight=-1.0), "weight"),
        (spoilt(weight=math.inf), "weight"),
        (spoilt(checks={"jump": math.nan}), "JSON"),
        (spoilt(checks={"jump": np.float32(1)}), "JSON"),
        (lambda: iter([make("a"), make("b", fps=Fraction(30))]), "25 frames per second, like the clips before it"),
    ],
)
def test_clips_that_must_not_be_written(clips: Callable[[], Iterator[Clip]], message: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=message) as raised:
        write_shards(tmp_path / "new" / "corpus", clips(), representation=FACE, shard_bytes=1)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir()), "nothing is left"


def test_an_unknown_representation(tmp_path: Path) -> None:
    with pytest.raises(HeadmotionError, match="landmarks67"):
        write_shards(tmp_path / "corpus", [make("a")], representation="landmarks67")


def test_an_interrupted_writing_leaves_nothing(tmp_path: Path) -> None:
    def clips() -> Iterator[Clip]:
        yield from (make("a"), make("b"))
        raise KeyboardInterrupt

    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / ".gitignore").write_text("kept")
    with pytest.raises(KeyboardInterrupt):
        write_shards(tmp_path / "corpus", clips(), representation=FACE, shard_bytes=1)
    assert set(content(tmp_path)) == {"corpus/.gitignore"}
    write_shards(tmp_path / "corpus", [make("a")], representation=FACE)
    assert len(open_corpus(tmp_path / "corpus")) == 1


def test_a_corpus_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    before = content(folder)
    for write in (lambda: write_shards(folder, [make("z")], representation=FACE), lambda: write_corpus(folder, [])):
        with pytest.raises(CorpusError, match="a corpus already"):
            write()
    (folder / "corpus.json").unlink()
    with pytest.raises(CorpusError, match="unfinished"):
        write_shards(folder, [make("z")], representation=FACE)
    del before["corpus.json"]
    assert content(folder) == before
    with pytest.raises(CorpusError, match=r"a folder with corpus\.json or index\.csv"):
        open_corpus(folder)


def test_both_layouts_join(folder: Path, tmp_path: Path) -> None:
    other = write_corpus(tmp_path / "pairs", [make("a", 12)])
    corpus = open_corpora([folder, other])
    assert [(clip.id, len(clip.landmarks)) for clip in corpus] == [("a", 10), ("b", 20), ("c", 15), ("a", 12)]
    assert len(corpus.select("val")) == 1


def test_opening_reads_no_shard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def spy(path: Path) -> object:
        opened.append(path.name)
        return map_arrays(path)

    monkeypatch.setattr(shard_reader, "map_arrays", spy)
    corpus = open_corpus(folder)
    assert opened == ["index.safetensors"]
    assert corpus[1].id == "b" and corpus[1].id == "b"
    assert opened[1:] == ["00001.safetensors"], "only the clip's own shard, and once"


def test_the_number_of_mapped_shards_is_limited(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_reader, "MAX_MAPPED", 2)
    corpus = open_corpus(folder)
    assert [clip.id for _ in range(2) for clip in corpus] == ["a", "b", "c"] * 2
    reader = corpus.entries[0].reader
    assert isinstance(reader, shard_reader.ShardReader) and len(reader._mapped) == 2


def test_a_worker_maps_for_itself(folder: Path) -> None:
    corpus = open_corpus(folder)
    first = corpus[0]
    sent = pickle.loads(pickle.dumps(corpus))
    assert list(sent.entries) == list(corpus.entries) and np.array_equal(sent[0].landmarks, first.landmarks)


def reverse(path: Path, keep: int = 0) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:keep] + content[keep:][::-1])


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def edit_index(folder: Path, **changes: Any) -> None:
    """Another index, and a header that knows of it; None removes a column."""
    path = folder / "index.safetensors"
    arrays = {name: np.array(values) for name, values in map_arrays(path).items()} | changes
    size, digest = write_arrays(path, {name: [values] for name, values in arrays.items() if values is not None})
    edit_header(folder, index={"name": path.name, "size": size, "sha256": digest})


def i32(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "corpus.json").write_bytes(b"{"), "a readable corpus.json"),
        (lambda f: (f / "corpus.json").write_bytes(b"\xff"), "a readable corpus.json"),
        (lambda f: (f / "corpus.json").write_bytes(b"[" * 100_000), "a readable corpus.json"),
        (lambda f: (f / "corpus.json").write_bytes(b"[1]"), "corpus.json: expected"),
        (lambda f: edit_header(f, format=3), "format 2 or older, got format 3; upgrade"),
        (lambda f: edit_header(f, format="2"), "corpus.json: expected format"),
        (lambda f: edit_header(f, fps="0"), "corpus.json: expected fps"),
        (lambda f: edit_header(f, fps="25/0"), "corpus.json: expected fps"),
        (lambda f: edit_header(f, sample_rate=8000), "corpus.json: expected sample_rate"),
        (lambda f: edit_header(f, clips=4), "4 clips in index.safetensors, got 3"),
        (lambda f: edit_header(f, more=1), "corpus.json: expected no field .more."),
        (lambda f: edit_header(f, shards={"../x.safetensors": {"size": 1, "sha256": DIGEST}}), "corpus.json: expected"),
        (lambda f: edit_header(f, shards={}), "got the shard 0, which its header does not name"),
        (lambda f: edit_header(f, pictures={"height": 10**9, "width": 8}), "corpus.json: expected pictures"),
        (
            lambda f: edit_header(f, index={"name": "../i.safetensors", "size": 1, "sha256": DIGEST}),
            "expected index.name",
        ),
        (lambda f: (f / "index.safetensors").unlink(), "the file index.safetensors"),
        (lambda f: truncate(f / "index.safetensors"), "bytes in index.safetensors"),
        (lambda f: reverse(f / "index.safetensors"), "that its header names"),
        (lambda f: edit_index(f, frames=None), "got none for the column 'frames'"),
        (lambda f: edit_index(f, frames=np.ones(3)), r"got float64 \[3\] for the column 'frames'"),
        (lambda f: edit_index(f, frames=i32(1, 2)), "for 2 clips"),
        (lambda f: edit_index(f, frames=i32(10, 0, 15)), "got 0 among 'frames'"),
        (lambda f: edit_index(f, speaker=i32(0, 0)), "got 2 values of 'speaker' for 3 clips"),
        (lambda f: edit_index(f, speaker=i32(0, 2, 0)), "got the speaker 2 of 2"),
        (lambda f: edit_index(f, split=i32(0, -1, 0)), "got -1 among 'split'"),
        (lambda f: edit_index(f, **{"speaker.names.offsets": np.array([9, 4, 4])}), "offsets of texts that do not fit"),
        (
            lambda f: edit_index(f, **{"speaker.names": np.frombuffer(b"ann\xff", np.uint8)}),
            "a valid index.safetensors",
        ),
        (lambda f: edit_index(f, shard=i32(0, 7, 2)), "got the shard 7"),
        (lambda f: edit_index(f, weight=np.array([1, np.nan, 1])), "weights that are not finite"),
        (lambda f: edit_index(f, **{"id.offsets": np.zeros(3, np.int64)}), "got 2 values of 'id' for 3 clips"),
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id.offsets": np.array([0, 5, 2, 3])}, "a valid row 0 of index.safetensors, got offsets 0 and 5 of 3 bytes"),
        ({"id.offsets": np.array([-1, 1, 2, 3])}, "a valid row 0"),
        ({"id": np.frombuffer(b"\xffbc", np.uint8)}, "a valid row 0"),
        ({"id": np.frombuffer(b".bc", np.uint8)}, "relative paths within the folder, got '.'"),
        ({"first_frame": np.array([1, 0, 0])}, "clip a of .*: expected 11 frames and 6400 samples in its shard"),
        ({"first_frame": np.array([2**62, 0, 0])}, "frames and 6400 samples in its shard"),
        ({"first_sample": np.array([1, 0, 0])}, "6401 samples in its shard"),
        ({"frames": i32(2**31 - 1, 20, 15)}, "frames and .* samples in its shard, got 10 and 6400"),
        ({"shard": i32(1, 1, 2), "frames": i32(21, 20, 15)}, "21 frames and 13440 samples in its shard"),
    ],
)
def test_damage_of_one_row(folder: Path, changes: dict[str, Any], message: str) -> None:
    edit_index(folder, **changes)
    corpus = open_corpus(folder)
    with pytest.raises(CorpusError, match=message) as raised:
        corpus[0]
    assert "\n" not in str(raised.value) and str(folder) in str(raised.value)
    assert corpus[2].id == "c", "the others still read"


def test_a_large_index_is_not_read_to_open_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray((folder / "index.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "index.safetensors").write_bytes(content)
    monkeypatch.setattr(shard_reader, "MAX_DIGEST_BYTES", 10)
    open_corpus(folder)
    report = inspect_corpus(folder)
    assert [name for name, _ in report.findings[0].clips] == ["index.safetensors"]


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "the file shards/00000.safetensors"),
        (truncate, "bytes in shards/00000.safetensors"),
    ],
)
def test_a_shard_that_disappears(folder: Path, damage: Callable[[Path], object], message: str, mapped: bool) -> None:
    corpus = open_corpus(folder)
    if mapped:
        assert corpus[0].id == "a"
    damage(folder / "shards/00000.safetensors")
    with pytest.raises(CorpusError, match=message) as raised:
        corpus[0]
    assert "\n" not in str(raised.value) and raised.value.remedy
    assert corpus[1].id == "b", "the others still read"


def test_a_shard_of_other_bytes(folder: Path) -> None:
    path = folder / "shards/00000.safetensors"
    path.write_bytes(bytes(path.stat().st_size))
    corpus = open_corpus(folder)
    with pytest.raises(CorpusError, match=r"a whole shards/00000\.safetensors"):
        corpus[0]
    assert corpus[1].id == "b"


def edit_shard(folder: Path, **changes: Any) -> None:
    path = folder / "shards/00000.safetensors"
    arrays = {name: np.array(values) for name, values in map_arrays(path).items()} | changes
    size, digest = write_arrays(path, {name: [values] for name, values in arrays.items() if values is not None})
    shards = json.loads((folder / "corpus.json").read_text())["shards"]
    edit_header(folder, shards=shards | {path.name: {"size": size, "sha256": digest}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"motion": None}, "got nothing as motion"),
        ({"motion": np.zeros((10, 68, 2), np.float32)}, r"got float32 \[10, 68, 2\] as motion"),
        ({"motion": np.zeros((9, 68, 3), np.float32)}, "10 frames and 6400 samples in its shard, got 9 and 6400"),
        ({"audio": np.zeros(6399, np.int16)}, "10 frames and 6400 samples in its shard, got 10 and 6399"),
        ({"audio": np.zeros(6400, np.float32)}, "got float32 .* as audio"),
        ({"motion": np.full((10, 68, 3), np.nan, np.float32)}, "finite landmarks"),
    ],
)
def test_a_shard_with_other_tracks(folder: Path, changes: dict[str, Any], message: str) -> None:
    edit_shard(folder, **changes)
    corpus = open_corpus(folder)
    for read in (lambda: corpus[0], lambda: corpus.read(0, ["motion", "audio"])):
        with pytest.raises(CorpusError, match=message) as raised:
            read()
        assert "\n" not in str(raised.value) and str(folder) in str(raised.value)


def test_license_of_a_corpus_without_one(folder: Path) -> None:
    assert {clip.license for clip in open_corpus(folder, license="CC BY 4.0")} == {"CC BY 4.0"}
