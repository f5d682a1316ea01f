"""Corpora on disk: what is written is read, and what is damaged is refused in one line."""

import csv
import pickle
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from headmotion.core.errors import CorpusError, HeadmotionError
from headmotion.data.clip import Clip
from headmotion.data.corpus import join, open_corpora, open_corpus, write_corpus

SHARED = Path(__file__).parents[3] / "shared" / "data"


def make(name: str, speaker: str = "anna", frames: int = 10, fps: Fraction = Fraction(25), **more: object) -> Clip:
    rng = np.random.default_rng(len(name) + frames)
    samples = int(frames * 16000 / fps + Fraction(1, 2))
    return Clip(
        id=name,
        speaker=speaker,
        split=str(more.pop("split", "train")),
        landmarks=rng.normal(100, 30, (frames, 68, 3)).astype(np.float32),
        audio=rng.uniform(-0.9, 0.9, samples).astype(np.float32),
        fps=fps,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus", [make("a", distribute=True), make("b", "ben", 20, split="val")])


def rewrite(folder: Path, **changes: str) -> None:
    """Change columns of the index's first row."""
    with (folder / "index.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[0].update(changes)
    with (folder / "index.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_written_clips_read_back(tmp_path: Path) -> None:
    clips = [
        make("a", license="CC0-1.0", source="made up", weight=2.5, image_size=(480, 640), distribute=True),
        make("b", "ben", 31, Fraction(30000, 1001)),
    ]
    read = list(open_corpus(write_corpus(tmp_path / "corpus", clips)))
    for clip, back in zip(clips, read, strict=True):
        for name in ("id", "speaker", "split", "fps", "weight", "license", "source", "distribute", "image_size"):
            assert getattr(back, name) == getattr(clip, name), name
        assert np.array_equal(back.landmarks, clip.landmarks)
        assert back.landmarks.dtype == back.audio.dtype == np.float32
        np.testing.assert_allclose(back.audio, clip.audio, atol=1 / 32768)


def test_clips_are_read_once_and_kept(folder: Path) -> None:
    corpus = open_corpus(folder)
    first = corpus[0]
    for file in folder.glob("a.*"):
        file.unlink()
    repeated = corpus.select("train")[0]
    assert repeated.landmarks is first.landmarks and np.array_equal(repeated.audio, first.audio)
    assert corpus[-1].id == "b"
    with pytest.raises(IndexError):
        corpus[2]


def test_a_worker_reads_for_itself(folder: Path) -> None:
    corpus = open_corpus(folder)
    first = corpus[0]
    sent = pickle.dumps(corpus)
    assert len(sent) < first.landmarks.nbytes, "what was read is not sent along"
    assert np.array_equal(pickle.loads(sent)[0].landmarks, first.landmarks)


def test_further_columns_are_checks(folder: Path) -> None:
    (folder / "index.csv").write_text("id,speaker,split,sync_lag,words,gone\na,anna,train,-2,0.5 nan,\n")
    assert open_corpus(folder)[0].checks == {"sync_lag": -2, "words": "0.5 nan"}


def test_wrong_arguments_are_one_line(folder: Path) -> None:
    corpus = open_corpus(folder)
    for index in ("a", True, 1.0):
        with pytest.raises(CorpusError, match="the number of a clip"):
            corpus[index]  # type: ignore[index]
    for call in (lambda: corpus.read(0, "motion"), lambda: corpus.select(tracks="motion")):
        with pytest.raises(HeadmotionError, match="corpus: expected a list of names of tracks, got str 'motion'"):
            call()
    with pytest.raises(CorpusError, match="the name of a split, got int 7"):
        corpus.select(7)  # type: ignore[arg-type]


def test_select(folder: Path) -> None:
    corpus = open_corpus(folder)
    assert [clip.id for clip in corpus.select("val")] == ["b"]
    assert [clip.id for clip in corpus.select(distributable=True)] == ["a"]
    assert len(corpus.select("val", distributable=True)) == 0
    assert corpus.seconds == pytest.approx(30 / 25)


def test_several_corpora_are_one(folder: Path, tmp_path: Path) -> None:
    other = write_corpus(tmp_path / "other", [make("a", "cleo", 15)])
    corpus = open_corpora([folder, other])
    assert [(clip.id, clip.speaker, len(clip.landmarks)) for clip in corpus] == [
        ("a", "anna", 10),
        ("b", "ben", 20),
        ("a", "cleo", 15),
    ]
    assert len(join([corpus, corpus.select("val")])) == 4


def test_weights_balance_speakers(tmp_path: Path) -> None:
    clips = [make("a1", frames=30), make("a2", frames=60), make("b", "ben", 10), make("c", "cleo", 10, weight=3.0)]
    corpus = open_corpus(write_corpus(tmp_path / "corpus", clips))
    np.testing.assert_allclose(corpus.weights(0.0), np.array([30, 60, 10, 30]) / 130)
    np.testing.assert_allclose(corpus.weights(1.0), np.array([1 / 3, 2 / 3, 1, 3]) / 5)
    even = corpus.weights()
    assert even.sum() == pytest.approx(1)
    assert corpus.weights(0.0)[2] < even[2] < corpus.weights(1.0)[2]


def test_index_defaults(folder: Path) -> None:
    (folder / "index.csv").write_text("id,speaker,split\na,anna,train\n")
    assert not open_corpus(folder)[0].distribute
    clip = open_corpus(folder, license="CC BY 4.0", distribute=True)[0]
    assert clip.distribute and clip.license == "CC BY 4.0" and clip.weight == 1.0
    (folder / "index.csv").write_text("id,speaker,split,licence,distribute\na,anna,train,mine,0\n")
    clip = open_corpus(folder, license="CC BY 4.0", distribute=True)[0]
    assert not clip.distribute and clip.license == "mine", "the index knows better"


def test_a_folder_that_is_no_corpus_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"corpus\.json or index\.csv, got .*; headmotion prepare makes a corpus"):
        open_corpus(tmp_path)
    with pytest.raises(CorpusError, match="missing, which is no folder; headmotion prepare"):
        open_corpus(tmp_path / "missing")


def test_an_index_of_a_spreadsheet_is_read(folder: Path) -> None:
    (folder / "index.csv").write_bytes(b"\xef\xbb\xbfid,speaker,split\r\na,anna,train\r\n")
    assert open_corpus(folder)[0].speaker == "anna"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "index.csv").unlink(), "a folder with corpus.json or index.csv"),
        (lambda folder: (folder / "index.csv").write_text("id,speaker,split\n"), "at least one row"),
        (lambda folder: (folder / "index.csv").write_text("id,split\na,train\n"), "the column 'speaker'"),
        (
            lambda folder: (folder / "index.csv").write_text("id;speaker;split\na;anna;train\n"),
            "the column 'id' in index.csv, whose columns are separated by commas, got the columns 'id;speaker;split'",
        ),
        (lambda folder: (folder / "index.csv").write_text("id,speaker,split\na,,train\n"), "'speaker' in every row"),
        (lambda folder: (folder / "index.csv").write_bytes(b"id,speaker,split\n\xff,b,c\n"), "a readable index.csv"),
        (lambda folder: (folder / "a.flac").unlink(), "the file a.flac"),
        (lambda folder: (folder / "a.npz").unlink(), "the file a.npz"),
        (lambda folder: rewrite(folder, id="b"), "'b' twice"),
        (lambda folder: rewrite(folder, id="../a"), "plain file names"),
        (lambda folder: rewrite(folder, weight="heavy"), "a number as weight in the row 'a' of index.csv, got 'heavy'"),
        (
            lambda folder: rewrite(folder, distribute="perhaps"),
            "a number as distribute .* got 'perhaps'",
        ),
        (lambda folder: rewrite(folder, distribute="nan"), "0 or 1 as distribute in the row 'a'.*, got nan"),
    ],
)
def test_damaged_index(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(folder)
    with pytest.raises(CorpusError, match=message) as raised:
        open_corpus(folder)
    assert "\n" not in str(raised.value) and str(folder) in str(raised.value)


def landmarks(value: object, **more: object) -> Callable[[Path], object]:
    return lambda folder: np.savez(folder / "a.npz", landmarks=np.asarray(value), **more)  # type: ignore[arg-type]


def spoil(path: Path) -> None:
    with np.load(path) as stored:
        np.savez_compressed(path, **dict(stored))
    content = bytearray(path.read_bytes())
    content[300:320] = bytes(20)
    path.write_bytes(content)


def sound(shape: tuple[int, ...], rate: int = 16000) -> Callable[[Path], object]:
    return lambda folder: soundfile.write(folder / "a.flac", np.zeros(shape), rate)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (landmarks(np.zeros((10, 68))), r"landmarks \[T, P, D\]"),
        (landmarks(np.zeros((10, 68, 0))), r"landmarks \[T, P, D\]"),
        (landmarks(np.zeros((0, 68, 3))), r"landmarks \[T, P, D\]"),
        (landmarks(np.full((10, 68, 3), np.nan)), "NaN or infinity"),
        (landmarks(np.zeros((11, 68, 3))), "7040 mono samples for 11 frames"),
        (landmarks(np.zeros((10, 68, 3)), fps=0), "more than 0 and at most 1000 frames"),
        (landmarks(np.zeros((10, 68, 3)), fps="fast"), "readable"),
        (landmarks([None]), "readable"),
        (lambda folder: np.savez(folder / "a.npz", points=np.zeros(3)), "readable"),
        (lambda folder: (folder / "a.npz").write_bytes((folder / "a.npz").read_bytes()[:-400]), "readable"),
        (lambda folder: spoil(folder / "a.npz"), "readable"),
        (lambda folder: (folder / "a.flac").write_bytes(b"not a sound"), "readable"),
        (sound((6399,)), "6400 mono samples"),
        (sound((6400, 2)), "2 channels"),
        (sound((6400,), 8000), "16000 samples per second"),
    ],
)
def test_damaged_clip(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(folder)
    corpus = open_corpus(folder)
    with pytest.raises(CorpusError, match=message) as raised:
        corpus[0]
    assert "\n" not in str(raised.value) and str(folder / "a") in str(raised.value)
    assert corpus[1].id == "b", "the others still read"


def test_clips_that_must_not_be_written(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="a corpus already"):
        write_corpus(folder, [make("c")])
    short = make("c")
    with pytest.raises(CorpusError, match="mono samples"):
        write_corpus(tmp_path / "new", [Clip("c", "s", "train", short.landmarks, short.audio[:-1])])
    assert not (tmp_path / "new" / "index.csv").exists()


@pytest.mark.parametrize("id", ["ab:c", "CON", "aux.1", "com1", "what?", "a|b", "a\n"])
def test_ids_that_are_no_file_names_on_windows_are_not_written_as_pairs(id: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"name no device of Windows, got .*; rename the clip, or use write_shards"):
        write_corpus(tmp_path / "new", [make(id)])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("id", ["a-b.c", "console", "com", "com10", "ä b", "21Uxsk56VDQ_00001-2fff92fa-003-01"])
def test_ids_that_are_file_names_everywhere_are_written(id: str, tmp_path: Path) -> None:
    assert open_corpus(write_corpus(tmp_path / "new", [make(id)]))[0].id == id


def test_ids_that_differ_only_in_case_are_not_written_as_pairs(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="differ in more than case, got 'Anna' and 'anna'"):
        write_corpus(tmp_path / "new", [make("Anna"), make("anna")])
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared clips are not here")
def test_real_corpora_open() -> None:
    corpus = open_corpora([SHARED / "grid_s1", SHARED / "clips"])
    assert {entry.split for entry in corpus.entries} == {"train", "val"}
    for clip in (corpus[0], corpus[-1]):
        assert clip.landmarks.shape[1:] == (68, 3) and len(clip.audio) == 640 * len(clip.landmarks)
    free = corpus.select(distributable=True)
    assert 0 < len(free) < len(corpus) and all("GRID" in entry.license for entry in free.entries)


@pytest.mark.parametrize("size", [(1 << 40, 3), (-1, 3), (0, 0)])
def test_a_clip_of_a_size_that_no_picture_has_is_not_written(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(CorpusError, match=r"clip a: expected an image_size of 1 to \d+ pixels"):
        write_corpus(tmp_path / "corpus", [make("a", image_size=size)])
