"""Ctrl-C and kill in the middle of work."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from judge import Judge

from benchmarks.stress.good_files import recipe, sound

if sys.platform == "win32":
    pytest.skip("only POSIX has these signals", allow_module_level=True)

COMMAND = Path(sys.executable).with_name("headmotion")


@contextmanager
def running(workdir: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [COMMAND, *arguments]
    with subprocess.Popen(command, cwd=workdir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait(for_what: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not for_what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing to interrupt"
        time.sleep(0.02)


def interrupted(process: subprocess.Popen[str]) -> None:
    """Ctrl-C: status 130 and one line, besides notes, after the end of the line that the terminal is in."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    lines = [line for line in err.splitlines() if line and not line.startswith("note: ")]
    assert (process.returncode, out, lines) == (130, "", ["error: interrupted"]), err


@pytest.fixture
def long_speech(workdir: Path, good: Mapping[str, bytes]) -> list[str]:
    """The command that renders ten minutes of it."""
    (workdir / "model.safetensors").write_bytes(good["model.safetensors"])
    sound(workdir / "long.wav", 600)
    return ["animate", "long.wav", "--model", "model.safetensors", "-o", "made/talk.mp4", "-q"]


def half_written(folder: Path) -> bool:
    return any(path.stat().st_size > 1000 for path in folder.glob(".*.mp4"))


def test_interrupted_rendering_leaves_nothing(long_speech: list[str], workdir: Path) -> None:
    with running(workdir, *long_speech) as process:
        wait(lambda: half_written(workdir / "made"), process)
        interrupted(process)
    assert sorted(path.name for path in workdir.rglob("*")) == ["long.wav", "model.safetensors"]


def test_interrupted_rendering_leaves_the_video_that_was_there(long_speech: list[str], workdir: Path) -> None:
    (workdir / "made").mkdir()
    (workdir / "made" / "talk.mp4").write_bytes(b"old")
    with running(workdir, *long_speech) as process:
        wait(lambda: half_written(workdir / "made"), process)
        interrupted(process)
    assert [(path.name, path.read_bytes()) for path in (workdir / "made").iterdir()] == [("talk.mp4", b"old")]


def test_killed_rendering_leaves_nothing_under_the_final_name(
    long_speech: list[str], workdir: Path, judge: Judge, good: Mapping[str, bytes]
) -> None:
    with running(workdir, *long_speech) as process:
        wait(lambda: half_written(workdir / "made"), process)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert not (workdir / "made" / "talk.mp4").exists()
    shutil.rmtree(workdir / "made")
    (workdir / "long.wav").write_bytes(good["speech.wav"])
    judge.accepted(*long_speech)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_training_resumes(how: signal.Signals, workdir: Path, judge: Judge, good_corpus: Path) -> None:
    shutil.copytree(good_corpus, workdir / "corpus")
    endless = recipe() | {"save_every": 1}
    endless["phases"]["syncers"]["steps"] = 100_000  # type: ignore[index]
    (workdir / "recipe.yaml").write_text(json.dumps(endless))
    run, log = workdir / "run", workdir / "run" / "log.jsonl"
    command = ["train", "recipe.yaml", "--data", "corpus", "-o", "run", "-q"]
    with running(workdir, *command) as process:
        wait(lambda: (run / "state.safetensors").exists() and log.read_text().count("\n") > 3, process)
        if how is signal.SIGINT:
            interrupted(process)
            assert not any(path.name.startswith(".") for path in run.iterdir())
        else:
            process.send_signal(how)
            process.wait()
    assert not (run / "model.safetensors").exists()
    before = log.read_text().splitlines()
    judge.accepted(*command, "--resume", "--set", f"phases.syncers.steps={len(before) + 2}", changes=run)
    assert not list(run.glob(".*"))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["step"] for line in lines if line["phase"] == "syncers"] == list(range(len(before) + 2))
    assert lines[: len(before) - 2] == [json.loads(line) for line in before[:-2]]
