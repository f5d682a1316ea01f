"""Pictures and labels in shards: kept as they were encoded, read by frame range, and damage is one clear line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from headmotion.core.errors import CorpusError
from headmotion.data.array_file import map_arrays, write_arrays
from headmotion.data.clip import Clip
from headmotion.data.corpus import join, open_corpus, write_corpus
from headmotion.data.import_folder import import_folder
from headmotion.data.inspection import inspect_corpus
from headmotion.data.pictures import EncodedFrames, decode_pictures, encode_picture, encode_pictures
from headmotion.data.shard_writer import write_shards

FACE = {"type": "landmarks68", "dims": 3}
SIZE = (24, 32)


def pictures(count: int, seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Smooth pictures, which survive encoding, and of which no two are alike."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size[0], : size[1]] / max(size)
    phase, pace = rng.uniform(0, 6, (count, 1, 1, 3)), rng.uniform(2, 5, (count, 1, 1, 3))
    waves = np.sin(phase + pace * rows[None, ..., None] + (5 - pace) * columns[None, ..., None])
    return (127 + 100 * waves).astype(np.uint8)


def make(name: str, length: int = 10, **more: Any) -> Clip:
    rng = np.random.default_rng(sum(name.encode()))
    landmarks = rng.normal(16, 3, (length, 68, 3)).astype(np.float32)
    audio = (rng.integers(-3000, 3000, length * 640) / 32768).astype(np.float32)
    return Clip(name, "anna", "train", landmarks, audio, image_size=SIZE, **more)


def full(name: str, frames: int = 10, seed: int = 0) -> Clip:
    labels = np.random.default_rng(seed).random((frames, 3)).astype(np.float32)
    encoded = encode_pictures(pictures(frames, seed))
    return make(name, frames, frames=encoded, labels=labels, label_names=("a", "b", "c"))


CLIPS = [full("one", 10, 1), full("two", 20, 2), full("three", 15, 3)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_shards(tmp_path / "corpus", CLIPS, representation=FACE, shard_bytes=60_000)


def test_tracks_are_read_by_range(folder: Path) -> None:
    corpus = open_corpus(folder)
    assert corpus.tracks == {"motion", "audio", "wave", "frames", "labels"}
    assert corpus.picture_size == SIZE and corpus.label_names == ("a", "b", "c")
    read = corpus.read(1, ["motion", "frames", "labels"], 5, 4)
    assert read.frames.shape == (4, 3, *SIZE) and read.frames.dtype == np.uint8 and read.audio is None
    assert np.array_equal(read.frames, CLIPS[1].frames.read(5, 4))
    assert np.abs(read.frames.transpose(0, 2, 3, 1).astype(int) - pictures(20, 2)[5:9]).mean() < 3
    assert np.array_equal(read.labels, CLIPS[1].labels[5:9])
    assert np.array_equal(read.motion, CLIPS[1].landmarks[5:9])
    assert corpus.read(1, ["motion"]).frames is None


def test_clips_hold_them_lazily(folder: Path) -> None:
    clip: Any = open_corpus(folder)[2]
    assert len(clip.frames) == 15 and clip.frames.size == SIZE and clip.picture_box is None
    encoded: Any = CLIPS[2].frames
    assert clip.frames.encoded_pictures() == encoded.encoded_pictures()
    assert np.array_equal(clip.frames.read(3, 2), CLIPS[2].frames.read(3, 2))
    assert np.array_equal(clip.labels, CLIPS[2].labels) and clip.label_names == ("a", "b", "c")


def test_a_copy_keeps_the_bytes(folder: Path, tmp_path: Path) -> None:
    repeated = write_shards(tmp_path / "again", open_corpus(folder), representation=FACE, shard_bytes=60_000)
    for name in ("index.safetensors", "shards/00000.safetensors", "corpus.json"):
        assert (repeated / name).read_bytes() == (folder / name).read_bytes()
    kept = open_corpus(import_folder(folder, tmp_path / "imported", quiet=True))
    assert kept.tracks == open_corpus(folder).tracks and np.array_equal(kept[1].labels, CLIPS[1].labels)


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_quality_is_a_setting(format: Any, tmp_path: Path) -> None:
    class Plain:
        """Pictures that are not encoded."""

        size = SIZE

        def __len__(self) -> int:
            return 10

        def read(self, first: int = 0, count: int | None = None) -> np.ndarray:
            return pictures(10)[first : None if count is None else first + count].transpose(0, 3, 1, 2)

    sizes, errors = [], []
    for quality in (10, 95):
        path = tmp_path / f"{quality}"
        options = {"frame_format": format, "frame_quality": quality}
        write_shards(path, [make("a", frames=Plain())], representation=FACE, **options)
        assert json.loads((path / "corpus.json").read_text())["pictures"]["quality"] == quality
        sizes.append((path / "shards/00000.safetensors").stat().st_size)
        errors.append(np.abs(open_corpus(path).read(0, ["frames"]).frames.astype(int) - Plain().read()).mean())
    assert sizes[0] < sizes[1] and errors[0] > errors[1] and errors[1] < 3
    with pytest.raises(CorpusError, match="from 1 to 100"):
        write_shards(tmp_path / "c", CLIPS, representation=FACE, frame_quality=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: replace(c, frames=encode_pictures(pictures(9))), "a picture for each of 10 frames, got 9"),
        (
            lambda c: replace(c, frames=encode_pictures(pictures(10, size=(8, 8)))),
            r"pictures of \(24, 32\), like the cl",
        ),
        (lambda c: replace(c, frames=None), r"pictures of \(24, 32\), like the clips before it, got no size"),
        (lambda c: replace(c, frames=EncodedFrames([b"none"] * 10, SIZE)), "a JPEG or WebP picture as frame 0"),
        (lambda c: replace(c, frames=replace(c.frames, size=(32, 24))), r"pictures of \(32, 24\), got \(24, 32\)"),
        (lambda c: replace(c, labels=c.labels[:, :2]), r"labels \[10, 3\], a column per name"),
        (lambda c: replace(c, labels=c.labels * np.nan), "finite labels"),
        (lambda c: replace(c, labels=None), "like the clips before it"),
        (lambda c: replace(c, label_names=("a", "b", "d")), "the labels .*, like the clips before it"),
    ],
)
def test_clips_that_do_not_fit(change: Callable[[Clip], Clip], message: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=message) as raised:
        write_shards(tmp_path / "c", [CLIPS[0], change(full("x", 10))], representation=FACE)
    assert "\n" not in str(raised.value) and not (tmp_path / "c").exists()


def test_a_folder_of_pairs_keeps_neither(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"motion and sound only .* write_shards keeps them"):
        write_corpus(tmp_path / "c", CLIPS)


def test_corpora_of_different_tracks_have_those_that_both_have(folder: Path, tmp_path: Path) -> None:
    plain = open_corpus(write_shards(tmp_path / "plain", [make("x")], representation=FACE))
    both = join([open_corpus(folder), plain])
    assert both.tracks == {"motion", "audio", "wave"} and both.picture_size is None and both.label_names == ()
    assert len(both.select(tracks=["frames"])) == 3 and both.select(tracks=["frames"]).picture_size == SIZE
    other = open_corpus(write_shards(tmp_path / "o", [make("y")], representation=FACE))
    assert len(join([both, other]).select(tracks=["labels"])) == 3
    small = replace(full("z"), frames=encode_pictures(pictures(10, size=(8, 8))), label_names=("x", "y", "z"))
    mixed = join([open_corpus(folder), open_corpus(write_shards(tmp_path / "s", [small], representation=FACE))])
    for name in ("picture_size", "label_names"):
        with pytest.raises(CorpusError, match="one kind of"):
            getattr(mixed, name)


def edit_shard(folder: Path, **changes: Any) -> None:
    """Change the arrays of the first shard, and the header with it."""
    path = folder / "shards/00000.safetensors"
    arrays = {name: np.array(values) for name, values in map_arrays(path).items()}
    arrays |= {name: change(arrays[name]) for name, change in changes.items()}
    size, digest = write_arrays(path, {name: [values] for name, values in arrays.items()})
    header = json.loads((folder / "corpus.json").read_text())
    header["shards"][path.name] = {"size": size, "sha256": digest}
    (folder / "corpus.json").write_text(json.dumps(header))


def with_picture(content: bytes) -> dict[str, Any]:
    """Another picture of the same length in place of the first."""
    return {"frames": lambda old: np.concatenate([np.frombuffer(content, np.uint8), old[len(content) :]])}


def at(row: tuple[int, ...] | int, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(old: np.ndarray) -> np.ndarray:
        new = old.copy()
        new[row] = value
        return new

    return change


@pytest.mark.parametrize(
    ("changes", "message", "title"),
    [
        (with_picture(b"nothing at all"), "a whole JPEG or WebP picture for frame 0", "damaged pictures"),
        (
            {"frames": lambda old: other_size(old)},
            r"a picture of 32 x 24 for frame 0 .* got 8 x 8",
            "pictures of another size",
        ),
        ({"frame_offsets": at(1, 10**12)}, "a picture for each frame, one after another", "pictures that are missing"),
        ({"frame_offsets": at(1, -1)}, "a picture for each frame", "pictures that are missing"),
        ({"frame_offsets": at(2, 0)}, "a picture for each frame", "pictures that are missing"),
        ({"frame_offsets": lambda old: old[:-1]}, "pictures for 10 frames", "damaged clips"),
        ({"labels": at((3, 1), np.nan)}, "finite labels", "labels that are not finite"),
        ({"labels": lambda old: old[:-1]}, "labels of 9 frames for 10", "damaged clips"),
        ({"labels": lambda old: old[:, :2].copy()}, r"float32 \[10, 2\] as labels", "damaged clips"),
    ],
)
def test_damage(changes: dict[str, Any], message: str, title: str, tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "corpus", CLIPS, representation=FACE, shard_bytes=1)
    edit_shard(folder, **changes)
    corpus = open_corpus(folder)
    with pytest.raises(CorpusError, match=message) as raised:
        corpus.read(0, ["frames", "labels"])
    assert "\n" not in str(raised.value) and str(folder) in str(raised.value)
    assert corpus.read(1, ["frames"]).frames is not None, "the others still read"
    report = inspect_corpus(folder)
    errors = [finding for finding in report.findings if finding.level == "error"]
    assert [(finding.title, [name for name, _ in finding.clips]) for finding in errors] == [(title, ["one"])]


def other_size(old: np.ndarray) -> np.ndarray:
    small = np.frombuffer(encode_picture(np.zeros((8, 8, 3), np.uint8)), np.uint8)
    return np.concatenate([small, old[len(small) :]])


def test_a_picture_that_claims_to_be_huge_is_not_decoded() -> None:
    content = bytearray(encode_picture(np.zeros((8, 8, 3), np.uint8)))
    position = content.index(b"\xff\xc0") + 5
    content[position : position + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(CorpusError, match="for frame 0 of those read, got too many pixels"):
        decode_pictures("c", [bytes(content)], (8, 8))


def write_video(path: Path, images: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"crf": "5", "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = *images.shape[1:3], "yuv444p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Two clips with a video of a square of 64 pixels at (100, 50) beside them, and one without."""
    clips = [replace(make(name), landmarks=make(name).landmarks + 100, image_size=(200, 300)) for name in "abc"]
    folder = write_corpus(tmp_path / "pairs", clips)
    for number, clip in enumerate(clips[:2]):
        write_video(folder / f"{clip.id}.mp4", pictures(10, number, (32, 32)))
        np.savez(folder / f"{clip.id}.npz", landmarks=clip.landmarks, fps=25, crop_box=np.array([100, 50, 64]))
    return folder


def test_videos_beside_pairs_are_pictures(pairs: Path) -> None:
    corpus = open_corpus(pairs)
    assert "frames" not in corpus.tracks
    seen = corpus.select(tracks=["frames"])
    assert [entry.id for entry in seen.entries] == ["a", "b"] and seen.picture_size == (32, 32)
    read = seen.read(1, ["motion", "frames"], 2, 5)
    assert np.abs(read.frames.transpose(0, 2, 3, 1).astype(int) - pictures(10, 1, (32, 32))[2:7]).mean() < 6
    np.testing.assert_allclose(read.motion[..., :2], (seen[1].landmarks[2:7, :, :2] - [100, 50]) / 2, atol=1e-3)
    assert np.array_equal(seen.read(1, ["motion"], 2, 5).motion, seen[1].landmarks[2:7]), "as the corpus has it"


def test_videos_become_the_pictures_of_a_corpus(pairs: Path, tmp_path: Path) -> None:
    kept = open_corpus(import_folder(pairs, tmp_path / "kept", quiet=True, frames=16))
    assert [clip.id for clip in kept] == ["a", "b"] and kept.picture_size == (16, 16)
    source = open_corpus(pairs)[0]
    np.testing.assert_allclose(kept[0].landmarks[..., :2], (source.landmarks[..., :2] - [100, 50]) / 4, atol=1e-3)
    assert kept[0].image_size == (16, 16)
    small = pictures(10, 0, (32, 32)).reshape(10, 16, 2, 16, 2, 3).mean((2, 4))
    assert np.abs(kept.read(0, ["frames"]).frames.transpose(0, 2, 3, 1) - small).mean() < 8
    refused = [json.loads(line) for line in (tmp_path / "kept/rejected.jsonl").read_text().splitlines()]
    assert [(line["clip"], "pictures, such as ID.mp4" in line["reason"]) for line in refused] == [("c", True)]
    plain = open_corpus(import_folder(pairs, tmp_path / "plain", quiet=True))
    assert plain.tracks == {"motion", "audio", "wave"} and np.array_equal(plain[0].landmarks, source.landmarks)


def test_a_video_that_is_too_short_or_none(pairs: Path) -> None:
    write_video(pairs / "a.mp4", pictures(7, 0, (32, 32)))
    (pairs / "b.mp4").write_bytes(b"nothing")
    seen = open_corpus(pairs).select(tracks=["frames"])
    with pytest.raises(CorpusError, match="a picture for each of 10 frames at 25 per second, got 7"):
        seen.read(0, ["frames"])
    with pytest.raises(CorpusError, match="a whole video"):
        seen.read(1, ["frames"])
    titles = {finding.title: [name for name, _ in finding.clips] for finding in inspect_corpus(pairs).findings}
    assert titles["pictures that are missing"] == ["a"] and titles["damaged clips"] == ["b"]
