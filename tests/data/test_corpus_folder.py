"""A finished corpus is never touched: not by a second writer, not by its cleanup, not by ids that lead elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headmotion.core.errors import CorpusError
from headmotion.core.files import is_inside
from headmotion.data import corpus_folder
from headmotion.data.array_file import map_arrays, write_arrays
from headmotion.data.clip import Clip
from headmotion.data.corpus import Corpus, open_corpus, write_corpus
from headmotion.data.corpus_folder import claim_folder
from headmotion.data.import_folder import import_folder
from headmotion.data.index_entry import IndexEntry
from headmotion.data.shard_writer import write_shards
from headmotion.data.synthetic.kinds import write_synthetic_shards
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.data.text_columns import Texts

FACE = {"type": "landmarks68", "dims": 3}

Write = Callable[[Path, Iterator[Clip]], object]


def make(name: str, frames: int = 10) -> Clip:
    rng = np.random.default_rng(frames)
    landmarks = rng.normal(100, 30, (frames, 68, 3)).astype(np.float32)
    return Clip(name, "anna", "train", landmarks, rng.uniform(-0.5, 0.5, 640 * frames).astype(np.float32))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def shards(folder: Path, clips: Iterator[Clip]) -> object:
    return write_shards(folder, clips, representation=FACE, shard_bytes=1)


def pairs(folder: Path, clips: Iterator[Clip]) -> object:
    return write_corpus(folder, clips)


WRITERS = pytest.mark.parametrize("write", [shards, pairs], ids=lambda write: write.__name__)


@WRITERS
@pytest.mark.parametrize("other", [shards, pairs], ids=lambda write: write.__name__)
def test_a_second_writer_is_refused_before_it_works(write: Write, other: Write, tmp_path: Path) -> None:
    def clips() -> Iterator[Clip]:
        yield make("a")
        with pytest.raises(CorpusError, match="which another process is writing; wait until") as raised:
            other(tmp_path / "c", iter([make("z")]))
        assert "\n" not in str(raised.value) and str(tmp_path / "c") in str(raised.value)
        yield make("b")

    write(tmp_path / "c", clips())
    assert [clip.id for clip in open_corpus(tmp_path / "c")] == ["a", "b"]


def test_a_claim_that_is_about_to_end_is_waited_for(tmp_path: Path) -> None:
    # As after a kill, while a worker that was just being started still holds its parent's open files.
    first = claim_folder(tmp_path / "c")
    first.__enter__()
    ending = threading.Timer(0.2, first.__exit__, (None, None, None))
    ending.start()
    write_corpus(tmp_path / "c", iter([make("a")]))
    ending.join()
    assert [clip.id for clip in open_corpus(tmp_path / "c")] == ["a"]


@WRITERS
@pytest.mark.parametrize("made_before", [False, True])
def test_without_locks_the_first_to_finish_stays_whole(
    write: Write, made_before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError("not supported")

    import fcntl

    monkeypatch.setattr(fcntl, "flock", no_locks)
    first: dict[str, bytes] = {}

    def clips() -> Iterator[Clip]:
        yield make("a")
        write(tmp_path / "c", iter([make("a", 20), make("b")]))
        first.update(content_of_corpus(tmp_path / "c"))
        yield make("c")

    if made_before:
        (tmp_path / "c").mkdir()
    with pytest.raises(CorpusError, match=r"holds .* of another corpus; choose another name, or remove") as raised:
        write(tmp_path / "c", clips())
    assert "\n" not in str(raised.value) and str(tmp_path / "c") in str(raised.value)
    assert content(tmp_path / "c") == first and len(first) >= 4
    assert [len(clip.landmarks) for clip in open_corpus(tmp_path / "c")] == [20, 10]


def content_of_corpus(folder: Path) -> dict[str, bytes]:
    """All files but those of a writer that is still at work."""
    return {name: data for name, data in content(folder).items() if not name.startswith(".")}


@pytest.mark.parametrize(
    "write",
    [
        # The second time another one, because the same call finds what it has written.
        lambda folder, source: write_synthetic_shards(folder, "faces", 1, int(folder.exists()), seconds=1.0),
        lambda folder, source: write_synthetic(folder, 1, seconds=1.0),
        lambda folder, source: import_folder(source, folder, quiet=True),
    ],
    ids=["write_synthetic_shards", "write_synthetic", "import_folder"],
)
def test_again_into_the_same_folder(write: Callable[[Path, Path], Path], tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", [make("a")])
    corpus = write(tmp_path / "c", source)
    before = content(corpus)
    with pytest.raises(CorpusError, match="a new folder") as raised:
        write(tmp_path / "c", source)
    assert "\n" not in str(raised.value) and str(corpus) in str(raised.value) and raised.value.remedy
    with claim_folder(corpus), pytest.raises(CorpusError, match="another process is writing"):
        write(tmp_path / "c", source)
    assert content(corpus) == before and len(open_corpus(corpus)) == 1


def test_two_commands_at_once(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "headmotion", "synthesize", "-o", str(tmp_path / "c"), "--kind", "faces", "-q"]
    running = [
        subprocess.Popen([*command, "--clips", "6", "--seed", seed], env=environment, stderr=subprocess.PIPE, text=True)
        for seed in "12"
    ]
    errors = [process.communicate()[1] for process in running]
    assert sorted(process.returncode for process in running) == [0, 2]
    (message,) = filter(None, errors)
    assert message.count("\n") == 1 and str(tmp_path / "c") in message
    assert len(list(open_corpus(tmp_path / "c"))) == 6
    assert set(content(tmp_path / "c")) == {
        "corpus.json",
        "index.safetensors",
        "prepared.json",
        "shards/00000.safetensors",
    }


@WRITERS
@pytest.mark.parametrize("removed", ["everything", "first file"])
def test_files_that_are_removed_while_a_corpus_is_written(write: Write, removed: str, tmp_path: Path) -> None:
    def clips() -> Iterator[Clip]:
        yield from (make("a"), make("b"), make("c"))
        if removed == "everything":
            shutil.rmtree(tmp_path / "c")
        else:
            min(path for path in (tmp_path / "c").rglob("*") if path.is_file()).unlink()
        yield make("d")

    with pytest.raises(CorpusError) as raised:
        write(tmp_path / "c", clips())
    assert "\n" not in str(raised.value) and str(tmp_path / "c") in str(raised.value)
    assert not (tmp_path / "c").exists()


@WRITERS
def test_a_failure_removes_nothing_of_others(write: Write, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()

    def clips() -> Iterator[Clip]:
        yield make("a")
        (tmp_path / "c" / "note.txt").write_text("mine")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "c", clips())
    assert content(tmp_path / "c") == {"note.txt": b"mine"}


@WRITERS
def test_a_folder_with_files_of_others_is_refused_before_it_is_written(write: Write, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(CorpusError, match=r"a new or empty folder, got .*, which holds 'note.txt'"):
        write(tmp_path, iter([make("a")]))
    assert content(tmp_path) == {"note.txt": b"mine"}


@pytest.mark.parametrize("hard_links", [True, False])
@pytest.mark.parametrize("folder", [True, False])
def test_a_failure_of_publishing_takes_back_what_it_moved(
    hard_links: bool, folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: object, target: object) -> None:
        raise PermissionError("not supported")

    if not hard_links:
        monkeypatch.setattr(os, "link", no_links)
    for root, names in (("new", "abcd"), ("c", "c")):
        for name in names:
            path = tmp_path / root / name / "x" if folder else tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{root} {name}")
    before = content(tmp_path / "c")
    with pytest.raises(CorpusError, match="holds c of another corpus"):
        corpus_folder.publish(tmp_path / "new", tmp_path / "c", "abcd")
    assert content(tmp_path / "c") == before
    corpus_folder.publish(tmp_path / "new", tmp_path / "c", "d")
    assert len(content(tmp_path / "c")) == 2 and len(content(tmp_path / "new")) == 3


OUTSIDE = ["../outside/x", "/absolute/x", "a/../../x", "..", ".", "", "a//b", "./a"]
OUTSIDE += ["..\\x", "C:x", "C:\\x", "\\x", "a\0b"]


@pytest.mark.parametrize("id", OUTSIDE)
def test_ids_that_lead_out_of_the_folder(id: str, tmp_path: Path) -> None:
    assert not is_inside(id)
    for write in (shards, pairs):
        with pytest.raises(CorpusError, match="ids that"):
            write(tmp_path / "c" / "d", iter([replace(make("a"), id=id)]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("id", ["a/b", "a.b", "..a", "a b", "日本語"])
def test_ids_that_stay_within_the_folder(id: str, tmp_path: Path) -> None:
    assert is_inside(id)
    shards(tmp_path / "c", iter([replace(make("a"), id=id)]))
    assert open_corpus(tmp_path / "c")[0].id == id
    if "/" in id:
        with pytest.raises(CorpusError, match="plain file names"):
            pairs(tmp_path / "p", iter([replace(make("a"), id=id)]))
    else:
        pairs(tmp_path / "p", iter([replace(make("a"), id=id)]))
        assert open_corpus(tmp_path / "p")[0].id == id


@pytest.mark.parametrize("id", [id for id in OUTSIDE if id])
def test_an_index_whose_ids_lead_out_of_the_folder(id: str, tmp_path: Path) -> None:
    shards(tmp_path / "s", iter([make("a")]))
    path, texts = tmp_path / "s/index.safetensors", Texts.of([id])
    arrays = map_arrays(path) | {"id": texts.content, "id.offsets": texts.offsets}
    path.unlink()
    size, digest = write_arrays(path, {name: [values] for name, values in arrays.items()})
    header = json.loads((tmp_path / "s/corpus.json").read_text())
    header["index"] |= {"size": size, "sha256": digest}
    (tmp_path / "s/corpus.json").write_text(json.dumps(header))
    with pytest.raises(CorpusError, match=r"ids that are relative paths within the folder"):
        open_corpus(tmp_path / "s")[0]
    pairs(tmp_path / "p", iter([make("a")]))
    index = (tmp_path / "p/index.csv").read_text().replace("\na,", f"\n{id},")
    (tmp_path / "p/index.csv").write_text(index)
    with pytest.raises(CorpusError, match="plain file names"):
        open_corpus(tmp_path / "p")


def test_a_corpus_that_is_not_trusted_is_written_nowhere_else(tmp_path: Path) -> None:
    class Reader:
        def read(self, entry: IndexEntry) -> object:
            from headmotion.data.clip import to_stored

            return to_stored(make("a"))

    for id in ("../outside/x", str(tmp_path / "absolute")):
        untrusted = Corpus([IndexEntry(str(tmp_path), id, "anna", "train", reader=Reader())])  # type: ignore[arg-type]
        with pytest.raises(CorpusError, match="plain file names"):
            write_corpus(tmp_path / "c", untrusted)
    assert not list(tmp_path.iterdir())


class Killed(BaseException):
    """Stands for the end of the process: what follows it is not done."""


@WRITERS
@pytest.mark.parametrize("moves", range(5))
def test_what_a_killed_process_had_published_is_removed(
    write: Write, moves: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next call succeeds with the same files, unless all were there."""
    write(tmp_path / "whole", iter([make("a"), make("b")]))
    expected = content(tmp_path / "whole")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / ".note").write_text("mine")
    done, move = iter(range(moves)), corpus_folder._move_to_free_name

    def killing(source: Path, target: Path) -> None:
        if next(done, None) is None:
            raise Killed
        move(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(corpus_folder, "_move_to_free_name", killing)
        patch.setattr(corpus_folder, "remove", lambda path: None)
        with contextlib.suppress(Killed):
            write(tmp_path / "c", iter([make("a"), make("b")]))
    if any((tmp_path / "c" / name).exists() for name in ("corpus.json", "index.csv")):
        with pytest.raises(CorpusError, match="a corpus already"):
            write(tmp_path / "c", iter([make("a"), make("b")]))
    else:
        write(tmp_path / "c", iter([make("a"), make("b")]))
    assert content(tmp_path / "c") == expected | {".note": b"mine"}


def test_a_mark_removes_nothing_outside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    for names in ('["../precious", "absent"]', '[["a"]]', "{}", "[", '["/"]', "[3]"):
        (tmp_path / "c").mkdir(exist_ok=True)
        (tmp_path / "c" / corpus_folder.PUBLISHING).write_text(names)
        with corpus_folder.claim_folder(tmp_path / "c"):
            assert not list((tmp_path / "c").iterdir())
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="files that are open are not removed there")
def test_what_a_killed_process_was_writing_is_removed_even_where_the_corpus_is_whole(tmp_path: Path) -> None:
    name = "0123456789abcdef"
    (tmp_path / f".headmotion-{name}").mkdir()
    (tmp_path / f".headmotion-{name}" / "shard.safetensors").touch()
    (tmp_path / f".headmotion-lock-{name}").touch()
    with claim_folder(tmp_path):
        assert not list(tmp_path.iterdir())
