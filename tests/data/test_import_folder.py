"""Landmark folders become corpora in shards; what is damaged is named and left out."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from headmotion.core.errors import CorpusError
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus, write_corpus
from headmotion.data.import_folder import import_folder
from headmotion.data.split import split_of

SHARED = Path(__file__).parents[3] / "shared" / "data"


def put(
    folder: Path, name: str, frames: int = 10, samples: int = 6400, rate: int = 16000, suffix: str = ".flac"
) -> None:
    path = folder / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(frames)
    np.savez(path, landmarks=rng.normal(100, 30, (frames, 68, 3)), image_size=(480, 640))
    soundfile.write(path.with_suffix(suffix), rng.uniform(-0.5, 0.5, samples), rate)


def refused(corpus: Path) -> dict[str, str]:
    lines = [json.loads(line) for line in (corpus / "rejected.jsonl").read_text().splitlines()]
    assert all(set(line) == {"source", "clip", "reason"} for line in lines)
    return {line["clip"]: line["reason"] for line in lines}


def test_plain_folder(tmp_path: Path) -> None:
    source = tmp_path / "source"
    put(source, "a")
    put(source, "b", suffix=".wav", samples=3200, rate=8000)
    put(source, "ben/c", samples=6100)
    (source / "readme.txt").write_text("not a clip")
    corpus = open_corpus(import_folder(source, tmp_path / "corpus", quiet=True, license="mine"))
    assert [(clip.id, clip.speaker, clip.split, clip.license) for clip in corpus] == [
        (name, "", "train", "mine") for name in ("a", "b", "ben/c")
    ]
    assert all(clip.landmarks.shape == (10, 68, 3) and clip.image_size == (480, 640) for clip in corpus)
    assert corpus[2].checks == {"samples_added": 300} and not corpus[2].audio[-300:].any()
    assert refused(tmp_path / "corpus") == {}


def test_speakers_by_a_function(tmp_path: Path) -> None:
    for k in range(6):
        put(tmp_path / "source", f"s{k}/one")
    made = import_folder(tmp_path / "source", tmp_path / "c", True, speaker_of=lambda id: id.split("/")[0], val=0.5)
    assert {e.speaker: e.split for e in open_corpus(made).entries} == {
        f"s{k}": split_of(f"s{k}", 0.5) for k in range(6)
    }


def test_damaged_clips_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "source"
    put(source, "good")
    put(source, "long", samples=9000)
    put(source, "mute")
    (source / "mute.flac").unlink()
    put(source, "noise")
    (source / "noise.flac").write_bytes(b"not a sound")
    put(source, "cut")
    (source / "cut.npz").write_bytes((source / "cut.npz").read_bytes()[:500])
    put(source, "nan")
    np.savez(source / "nan.npz", landmarks=np.full((10, 68, 3), np.nan))
    put(source, "hand")
    np.savez(source / "hand.npz", landmarks=np.zeros((10, 21, 3)))
    corpus = import_folder(source, tmp_path / "corpus", True)
    assert [clip.id for clip in open_corpus(corpus)] == ["good"]
    reasons = refused(corpus)
    assert set(reasons) == {"long", "mute", "noise", "cut", "nan", "hand"}
    assert "6400 samples" in reasons["long"] and "NaN" in reasons["nan"] and "sound file" in reasons["mute"]


def test_the_list_of_refused_clips_appears_with_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the header is there, which says that a corpus is whole, the list is there, and whole, too."""
    put(tmp_path / "source", "a")
    put(tmp_path / "source", "b", samples=9)
    moves: list[str] = []

    def move(source: Path, target: Path) -> None:
        moves.append(target.name)
        if target.name == "corpus.json":
            assert refused(target.parent).keys() == {"b"}
            raise OSError("the power fails")
        source.rename(target)

    monkeypatch.setattr("headmotion.data.corpus_folder._move_to_free_name", move)
    with pytest.raises(OSError, match="the power fails"):
        import_folder(tmp_path / "source", tmp_path / "corpus", quiet=True)
    assert moves[-1] == "corpus.json" and not (tmp_path / "corpus").exists()
    monkeypatch.undo()
    assert refused(import_folder(tmp_path / "source", tmp_path / "corpus", quiet=True)).keys() == {"b"}


def test_folder_of_pairs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clips = [
        Clip(
            n, s, p, rng.normal(100, 30, (12, 68, 3)).astype(np.float32), np.zeros(7680, np.float32), license="CC0-1.0"
        )
        for n, s, p in (("a", "anna", "train"), ("b", "ben", "val"), ("c", "cleo", "train"))
    ]
    source = write_corpus(tmp_path / "source", clips)
    (source / "c.flac").unlink()
    corpus = import_folder(source, tmp_path / "corpus", True)
    made = open_corpus(corpus)
    assert [(c.id, c.speaker, c.split, c.license) for c in made] == [
        ("a", "anna", "train", "CC0-1.0"),
        ("b", "ben", "val", "CC0-1.0"),
    ]
    assert np.array_equal(made[1].landmarks, clips[1].landmarks)
    assert "c.flac" in refused(corpus)["c"]
    reimported = open_corpus(import_folder(corpus, tmp_path / "again", True))
    assert (tmp_path / "again/index.safetensors").read_bytes() == (corpus / "index.safetensors").read_bytes() and len(
        reimported
    ) == 2


def test_other_rates_are_resampled(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(60, dtype=np.float32)[:, None, None], 68, 1) * np.ones(3, np.float32)
    clip = Clip("a", "anna", "train", ramp, np.zeros(32000, np.float32), Fraction(30))
    corpus = open_corpus(import_folder(write_corpus(tmp_path / "s", [clip]), tmp_path / "c", True))
    assert corpus[0].fps == 25 and corpus[0].checks["source_fps"] == "30"
    np.testing.assert_allclose(corpus[0].landmarks[:, 0, 0], np.arange(50) * 1.2, atol=1e-4)


def test_representation(tmp_path: Path) -> None:
    put(tmp_path / "s", "a")
    made = import_folder(tmp_path / "s", tmp_path / "flat", True, representation={"type": "landmarks68", "dims": 2})
    assert open_corpus(made)[0].landmarks.shape == (10, 68, 2)
    np.savez(tmp_path / "s/a.npz", landmarks=np.random.default_rng(0).normal(size=(10, 5, 3)))
    with pytest.raises(CorpusError, match="name the representation"):
        import_folder(tmp_path / "s", tmp_path / "none", True)


@pytest.mark.parametrize("name", ["nowhere", "empty", "file"])
def test_nothing_to_prepare(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(CorpusError, match="folder: expected"):
        import_folder(tmp_path / name, tmp_path / "corpus", True)
    assert not (tmp_path / "corpus").exists()


def test_nothing_usable(tmp_path: Path) -> None:
    put(tmp_path / "s", "a", samples=100)
    put(tmp_path / "s", "b", samples=100)
    for given in ({}, {"representation": "landmarks68"}):
        with pytest.raises(CorpusError, match=r"at least one usable clip.*100 samples"):
            import_folder(tmp_path / "s", tmp_path / "corpus", True, **given)  # type: ignore[arg-type]
    assert not (tmp_path / "corpus").exists()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared clips are not here")
def test_real_clips(tmp_path: Path) -> None:
    corpus = open_corpus(import_folder(SHARED / "clips", tmp_path / "corpus", True))
    source = open_corpus(SHARED / "clips")
    assert [e.id for e in corpus.entries] == [e.id for e in source.entries]
    assert np.array_equal(corpus[7].landmarks, source[7].landmarks) and np.array_equal(corpus[7].audio, source[7].audio)


@pytest.mark.parametrize("size", [(1e30, 640), (480, -1), (1 << 40, 3), (3, 0)])
def test_a_size_that_no_picture_has_is_refused(tmp_path: Path, size: tuple[float, float]) -> None:
    source = tmp_path / "source"
    put(source, "a")
    put(source, "b")
    with np.load(source / "a.npz") as stored:
        arrays = {**stored, "image_size": np.array(size)}
    np.savez(source / "a.npz", **arrays)
    corpus = import_folder(source, tmp_path / "corpus", quiet=True)
    assert [clip.id for clip in open_corpus(corpus)] == ["b"]
    assert "expected an image_size of 1 to" in refused(corpus)["a"]
