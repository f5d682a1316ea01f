"""Training data and interrupted runs made wrong by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from judge import Judge
from safetensors.numpy import load_file, save_file

from benchmarks.stress.good_files import RATE, pipeline, recipe, sound

TRAIN = ["train", "recipe.yaml", "--data", "corpus", "-o", "run", "-q"]

Damage = Callable[[Path], object]


@pytest.fixture
def corpus(workdir: Path, good_corpus: Path) -> Path:
    (workdir / "recipe.yaml").write_text(json.dumps(recipe()))
    return Path(shutil.copytree(good_corpus, workdir / "corpus"))


def index(edit: Callable[[str], str]) -> Damage:
    def damage(corpus: Path) -> None:
        path = corpus / "index.csv"
        path.write_text(edit(path.read_text()), "utf-8")

    return damage


def column(name: str, value: str) -> Damage:
    """Another value in the first row."""

    def edit(text: str) -> str:
        head, first, *rest = text.splitlines()
        values = first.split(",")
        values[head.split(",").index(name)] = value
        return "\n".join([head, ",".join(values), *rest])

    return index(edit)


def raw(content: bytes) -> Damage:
    return lambda corpus: (corpus / "index.csv").write_bytes(content)


def arrays(**changes: npt.ArrayLike | None) -> Damage:
    """Other arrays in the first clip's ``.npz``; None takes one away."""

    def damage(corpus: Path) -> None:
        path = _first(corpus, ".npz")
        with np.load(path) as stored:
            every: dict[str, Any] = dict(stored) | changes
        np.savez(path, **{name: value for name, value in every.items() if value is not None})

    return damage


def speech(write: Callable[[Path], object]) -> Damage:
    return lambda corpus: write(_first(corpus, ".flac"))


def cut(suffix: str) -> Damage:
    def damage(corpus: Path) -> None:
        path = _first(corpus, suffix)
        path.write_bytes(path.read_bytes()[:300])

    return damage


def missing(name: str) -> Damage:
    return lambda corpus: _first(corpus, name).unlink()


def endless(path: Path) -> None:
    """A FLAC whose header declares 2^35 samples."""
    data = bytearray(path.read_bytes())
    data[21] = data[21] & 0xF0 | 8
    path.write_bytes(data)


def _first(corpus: Path, suffix: str) -> Path:
    return sorted(corpus.glob(f"*{suffix}"))[0]


ROW = "id,speaker,split\n"

DATA: dict[str, Damage] = {
    "no folder": shutil.rmtree,
    "a file": lambda corpus: (shutil.rmtree(corpus), corpus.write_text("id")),
    "no index": missing("index.csv"),
    "a folder for an index": lambda corpus: (missing("index.csv")(corpus), (corpus / "index.csv").mkdir()),
    "empty index": raw(b""),
    "only a head": raw(ROW.encode()),
    "index of another kind": raw(b"file;name\na;b\n"),
    "index not UTF-8": raw(ROW.encode() + b"\xff\xfe,a,train\n"),
    "index UTF-16": raw((ROW + "a,a,train\n").encode("utf-16")),
    "index of zeros": raw(bytes(500)),
    "a zero in the index": raw(ROW.encode() + b"a\0,a,train\n"),
    "a field without end": raw(ROW.encode() + b'"' + b"a" * 200_000),
    "one column": index(lambda text: "\n".join(line.partition(",")[0] for line in text.splitlines())),
    "rows too long": index(lambda text: text.replace("train", "train,,,,,,,,,,,,,,,,")),
    "same clip twice": index(lambda text: text + text.splitlines()[1] + "\n"),
    "clip of another folder": column("id", "../corpus/a"),
    "clip of an absolute path": column("id", "/etc/passwd"),
    "clip of the folder above": column("id", ".."),
    "unknown clip": column("id", "nobody"),
    "only another split": index(lambda text: text.replace("train", "test")),
    "seconds of words": column("seconds", "long"),
    "seconds 0": column("seconds", "-0.0"),
    "seconds below 0": column("seconds", "-5"),
    "seconds NaN": column("seconds", "nan"),
    "weight below 0": column("weight", "-1"),
    "weight NaN": column("weight", "nan"),
    "weight infinite": column("weight", "inf"),
    "no weights": index(lambda text: text.replace(",1.0", ",0.0")),
    "distribute perhaps": column("distribute", "perhaps"),
    "no landmarks file": missing(".npz"),
    "no speech file": missing(".flac"),
    "landmarks cut short": cut(".npz"),
    "speech cut short": cut(".flac"),
    "no landmarks": arrays(landmarks=None),
    "landmarks of objects": arrays(landmarks=np.array([{}], dtype=object)),
    "landmarks of words": arrays(landmarks=np.full((25, 68, 2), "left")),
    "landmarks NaN": arrays(landmarks=np.full((25, 68, 2), np.nan)),
    "landmarks 1e300": arrays(landmarks=np.full((25, 68, 2), 1e300)),
    "67 landmarks": arrays(landmarks=np.random.default_rng(0).random((25, 67, 2))),
    "one coordinate": arrays(landmarks=np.random.default_rng(0).random((25, 68, 1))),
    "one frame": arrays(landmarks=np.random.default_rng(0).random((68, 2))),
    "fewer frames": arrays(landmarks=np.random.default_rng(0).random((20, 68, 2))),
    "no frames": arrays(landmarks=np.zeros((0, 68, 2))),
    "rate 0": arrays(fps=np.array("0")),
    "rate 1e999999999": arrays(fps=np.array("1e999999999")),
    "rate of words": arrays(fps=np.array("fast")),
    "rates": arrays(fps=np.array(["25", "25"])),
    "30 frames per second": arrays(
        fps=np.array("30"), landmarks=np.random.default_rng(0).random((30, 68, 2)).astype(np.float32)
    ),
    "size of three": arrays(image_size=np.array([1, 2, 3])),
    "size of words": arrays(image_size=np.array(["a", "b"])),
    "size NaN": arrays(image_size=np.array([np.nan, np.nan])),
    "empty speech": speech(lambda path: path.write_bytes(b"")),
    "speech of words": speech(lambda path: path.write_text("speech\n" * 99)),
    "speech of 2^35 samples": speech(endless),
    "speech too short": speech(lambda path: sound(path, 0.5)),
    "speech at 44.1 kHz": speech(lambda path: soundfile.write(path, np.zeros(44_100), 44_100)),
    "speech of two channels": speech(lambda path: soundfile.write(path, np.zeros((RATE, 2)), RATE)),
}


@pytest.mark.parametrize("name", DATA)
def test_no_corpus(name: str, corpus: Path, judge: Judge) -> None:
    DATA[name](corpus)
    judge.refused(*TRAIN)


def state(edit: Callable[[dict[str, Any], dict[str, Any]], object]) -> Damage:
    """A run whose state has other tensors, or other metadata."""

    def damage(run: Path) -> None:
        path = run / "state.safetensors"
        raw = path.read_bytes()
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
        meta = json.loads(header["__metadata__"]["headmotion"])
        tensors = load_file(path)
        edit(tensors, meta)
        save_file(tensors, path, {"headmotion": json.dumps(meta)})

    return damage


def put(name: str, content: bytes) -> Damage:
    return lambda run: (run / name).write_bytes(content)


def renamed(tensors: dict[str, Any], kind: str) -> None:
    name = next(name for name in tensors if kind in name)
    tensors[name + "_"] = tensors.pop(name)


def reshaped(tensors: dict[str, Any], kind: str) -> None:
    tensors[next(name for name in tensors if kind in name)] = np.zeros((3, 5, 7), np.float32)


def other_syncers(run: Path) -> None:
    pipeline().save(run / "syncers.safetensors")


RUNS: dict[str, Damage] = {
    "empty state": put("state.safetensors", b""),
    "state of words": put("state.safetensors", b"state\n" * 99),
    "state of others": lambda run: save_file({"a": np.zeros(3)}, run / "state.safetensors"),
    "state cut short": lambda run: (run / "state.safetensors").write_bytes(
        (run / "state.safetensors").read_bytes()[:-9]
    ),
    "a folder for a state": lambda run: ((run / "state.safetensors").unlink(), (run / "state.safetensors").mkdir()),
    "no step": state(lambda tensors, meta: meta.pop("step")),
    "step of words": state(lambda tensors, meta: meta.update(step="last")),
    "step infinite": state(lambda tensors, meta: meta.update(step=float("inf"))),
    "lines of words": state(lambda tensors, meta: meta.update(logged="many")),
    "another recipe": state(lambda tensors, meta: meta.update(recipe={})),
    "no module": state(lambda tensors, meta: renamed(tensors, "module/generator")),
    "another module": state(lambda tensors, meta: reshaped(tensors, "module/generator")),
    "no optimizer": state(lambda tensors, meta: renamed(tensors, "optimizer/generator/0.exp")),
    "another optimizer": state(lambda tensors, meta: reshaped(tensors, "optimizer/generator/0.exp")),
    "optimizer of more": state(lambda tensors, meta: tensors.update({"optimizer/generator/999.exp_avg": np.zeros(3)})),
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, good_corpus: Path) -> Path:
    """A run that has just begun its second phase."""
    from headmotion.training import train

    folder = tmp_path_factory.mktemp("stopped")
    (folder / "recipe.yaml").write_text(json.dumps(recipe()))
    train(folder / "recipe.yaml", [good_corpus], folder / "run", device="cpu", quiet=True)
    (folder / "run" / "model.safetensors").unlink()
    (folder / "run" / "state.previous.safetensors").unlink()  # what a damaged state is replaced by
    return folder / "run"


@pytest.mark.parametrize("name", RUNS)
def test_no_run(name: str, corpus: Path, workdir: Path, judge: Judge, stopped: Path) -> None:
    run = shutil.copytree(stopped, workdir / "run")
    RUNS[name](run)
    judge.refused(*TRAIN, "--resume")


LOGS: Mapping[str, Damage] = {
    "nothing": lambda run: shutil.rmtree(run),
    "no log": lambda run: (run / "log.jsonl").unlink(),
    "log not UTF-8": put("log.jsonl", b"\xff\xfe\n" * 9),
    "log of zeros": put("log.jsonl", bytes(99)),
    "recipe of words": put("recipe.json", b"{"),
    "no syncers": lambda run: (run / "syncers.safetensors").unlink(),
    "syncers of others": other_syncers,
    "only a log": lambda run: [path.unlink() for path in run.glob("*.safetensors")],
}


@pytest.mark.parametrize("name", LOGS)
def test_what_is_not_needed_to_resume(name: str, corpus: Path, workdir: Path, judge: Judge, stopped: Path) -> None:
    run = shutil.copytree(stopped, workdir / "run")
    LOGS[name](run)
    judge.accepted(*TRAIN, "--resume", changes=run)
    if name in ("nothing", "only a log"):
        assert len((run / "log.jsonl").read_text().splitlines()) == 2
