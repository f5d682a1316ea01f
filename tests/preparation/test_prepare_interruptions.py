"""Killed, hung, crashed, called again: the corpus is the same."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click.testing
import pytest
from blobs import BlobsSpec, content, nodding, picture, talking, video

import headmotion as hm
from headmotion.cli import cli
from headmotion.data import corpus_folder
from headmotion.data.corpus_folder import claim_folder
from headmotion.data.synthetic.kinds import write_synthetic_shards
from headmotion.execution.job import Heartbeat
from headmotion.preparation import Summary, build_corpus, prepare
from headmotion.preparation.build_corpus import STAGING, CorpusBuilder
from headmotion.preparation.video_job import VideoJob

SLOW = BlobsSpec(slow_s=0.005)
CODE = """
import sys
from blobs import BlobsSpec
from headmotion.preparation import prepare
prepare(sys.argv[1], sys.argv[2], BlobsSpec(slow_s=0.005), workers=2, quiet=True)
"""


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for number in range(6):
        name = f"speaker {number % 3}/{number}.mkv"
        (folder / name).parent.mkdir(exist_ok=True)
        video(folder / name, nodding(60 if number else 40), talking(2.4))
    return folder


@pytest.fixture(scope="module")
def undisturbed(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    made = content(prepare(videos, tmp_path_factory.mktemp("made") / "c", SLOW, workers=0, quiet=True))
    files = {"corpus.json", "index.safetensors", "prepared.json", "rejected.jsonl", "shards/00000.safetensors"}
    assert made.keys() == files
    return made


def staged(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{STAGING}/*/*/video.json"))


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL exists on POSIX only")
@pytest.mark.parametrize("after", [0, 3])
def test_killed_and_called_again(
    videos: Path, undisturbed: dict[str, bytes], tmp_path: Path, installed: None, after: int
) -> None:
    output = tmp_path / "c"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = subprocess.Popen([sys.executable, "-c", CODE, str(videos), str(output)], env=environment)
    while not (output / STAGING).exists() or len(staged(output)) < after:
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    kept = {path: path.stat().st_mtime_ns for path in staged(output)}
    assert after <= len(kept) < 6 and not (output / "corpus.json").exists()
    prepare(videos, output, SLOW, workers=0, quiet=True)
    assert content(output) == undisturbed


def test_what_is_staged_is_not_done_again(
    videos: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, done = VideoJob.run, []

    def stop_after_four(job: VideoJob, heartbeat: Heartbeat) -> None:
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(job)
        run(job, heartbeat)

    monkeypatch.setattr(VideoJob, "run", stop_after_four)
    with pytest.raises(KeyboardInterrupt):
        prepare(videos, tmp_path / "c", SLOW, workers=0, quiet=True)
    monkeypatch.setattr(VideoJob, "run", lambda job, heartbeat: (done.append(job), run(job, heartbeat)))
    prepare(videos, tmp_path / "c", SLOW, workers=0, quiet=True)
    assert len(done) == len(set(done)) == 6
    assert content(tmp_path / "c") == undisturbed


class Stopped(BaseException):
    """As if the process were killed: nothing that runs on the way out may help."""


def test_stopped_at_every_step_of_the_build(
    videos: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def counted(name: str, real: object) -> object:
        def step(*arguments: object, **options: object) -> object:
            nonlocal steps
            steps -= 1
            if steps < 0:
                raise Stopped(name)
            return real(*arguments, **options)  # type: ignore[operator]

        return step

    whole = tmp_path / "whole"
    monkeypatch.setattr(CorpusBuilder, "finish", lambda self: None)
    prepare(videos, whole, SLOW, workers=0, quiet=True)  # all is staged, nothing built
    monkeypatch.undo()
    for stop in range(100):
        output = tmp_path / f"stopped {stop}"
        shutil.copytree(whole, output)
        steps = stop
        with monkeypatch.context() as patched:
            for name in ("rename", "replace", "touch", "unlink", "rmdir"):
                patched.setattr(Path, name, counted(name, getattr(Path, name)))
            patched.setattr(os, "link", counted("link", os.link))
            patched.setattr(shutil, "rmtree", counted("rmtree", shutil.rmtree))
            for module in (build_corpus, corpus_folder):
                patched.setattr(module, "remove", counted("remove", module.remove))
            try:
                prepare(videos, output, SLOW, workers=0, quiet=True)
                finished = True
            except Stopped:
                finished = False
        if not finished:
            prepare(videos, output, SLOW, workers=0, quiet=True)
        assert content(output) == undisturbed, stop
        if finished:
            break
    assert stop > 8


def test_staged_files_that_another_program_has_open_are_removed_when_they_are_closed(
    videos: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_twice(real: object) -> object:
        refused = 0

        def action(*arguments: object, **options: object) -> object:
            nonlocal refused
            refused += 1
            if refused < 3:  # as on Windows
                raise PermissionError(errno.EACCES, "Access is denied", str(arguments[0]))
            return real(*arguments, **options)  # type: ignore[operator]

        return action

    output = tmp_path / "c"
    finish = CorpusBuilder.finish

    def finish_with_open_files(builder: CorpusBuilder) -> None:
        monkeypatch.setattr("headmotion.core.files._RETRY_WAITS_S", (0,) * 4)
        monkeypatch.setattr(os, "replace", refuse_twice(os.replace))
        monkeypatch.setattr(shutil, "rmtree", refuse_twice(shutil.rmtree))
        finish(builder)

    monkeypatch.setattr(CorpusBuilder, "finish", finish_with_open_files)
    prepare(videos, output, SLOW, workers=0, quiet=True)
    monkeypatch.undo()
    assert content(output) == undisturbed
    assert not list(output.glob(".*"))


def test_a_second_preparation_is_refused(videos: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    output = tmp_path / "c"
    with claim_folder(output), pytest.raises(hm.CorpusError, match="another process is writing") as raised:
        prepare(videos, output, SLOW, workers=0, quiet=True)
    assert str(output) in str(raised.value) and not content(output)
    prepare(videos, output, SLOW, workers=0, quiet=True)
    with pytest.raises(hm.CorpusError, match="a new folder"):
        prepare(videos, output, SLOW, workers=0, quiet=True, val=0.5)
    assert content(output) == undisturbed


def test_the_same_call_finds_its_corpus_complete(
    videos: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it had been killed between its last step and its exit."""
    output = tmp_path / "c"
    prepare(videos, output, SLOW, workers=0, quiet=True)
    monkeypatch.setattr(VideoJob, "run", lambda *_: pytest.fail("a video was read again"))
    assert prepare(videos, output, SLOW, workers=0, quiet=True) == output
    assert content(output) == undisturbed


@pytest.mark.parametrize("when", ["before it goes on", "while it is built", "while it is published"])
def test_a_corpus_that_appears_in_the_folder_stays(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Work on videos is interrupted, and in the meantime somebody writes another corpus there."""
    output, other = tmp_path / "c", tmp_path / "other"
    with monkeypatch.context() as patched:
        patched.setattr(CorpusBuilder, "finish", lambda self: None)
        prepare(videos, output, SLOW, workers=0, quiet=True)
    write_synthetic_shards(other, "faces", 1, seconds=1.0)
    before = content(other)

    def appear() -> None:
        shutil.copytree(other, output, dirs_exist_ok=True)

    if when == "before it goes on":
        appear()
    else:
        name = "_write_rejected" if when == "while it is built" else "_clips"
        real = getattr(CorpusBuilder, name)
        monkeypatch.setattr(CorpusBuilder, name, lambda self: (appear(), real(self))[1])
    for _ in range(2):  # the second time, all that is left must be refused
        with pytest.raises(hm.CorpusError, match="a new folder") as raised:
            prepare(videos, output, SLOW, workers=0, quiet=True)
        assert "\n" not in str(raised.value) and str(output) in str(raised.value) and raised.value.remedy
        left = {name: data for name, data in content(output).items() if not name.startswith((".", "rejected"))}
        assert left == before
    assert len(staged(output)) == 6


def test_other_settings_are_computed_again(videos: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    output = tmp_path / "c"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(CorpusBuilder, "finish", lambda self: None)
        prepare(videos, output, SLOW, crop="face", workers=0, quiet=True)
    assert len(staged(output)) == 6
    prepare(videos, output, SLOW, workers=0, quiet=True)
    assert content(output) == undisturbed


def test_a_stalled_and_a_crashed_video_cost_only_themselves(videos: Path, tmp_path: Path, installed: None) -> None:
    folder = tmp_path / "videos"
    shutil.copytree(videos, folder)
    for name, width in (("hangs", 96), ("crashes", 128)):
        pictures = (picture((48, 60, 70), width=width) for _ in range(60))
        video(folder / f"{name}.mkv", pictures, talking(2.4))
    detector = BlobsSpec(hang_at=96, crash_at=128)
    begun = time.monotonic()
    made = prepare(folder, tmp_path / "c", detector, workers=2, stall_seconds=1, quiet=True)
    assert time.monotonic() - begun < 60
    lines = [json.loads(line) for line in (made / "rejected.jsonl").read_text().splitlines()]
    assert {line["source"]: line["reason"] for line in lines} == {
        "hangs.mkv": "worker_lost",
        "crashes.mkv": "worker_lost",
        "speaker 0/0.mkv": "too_short",
    }
    assert Summary.read(made).clips == 5


def test_command(videos: Path, tmp_path: Path, installed: None) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "headmotion", "prepare", "--detector", "blobs/squares", "--workers", "1"]

    def run(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run([*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    two = [str(videos / "speaker 0/0.mkv"), str(videos / "speaker 0/3.mkv")]
    counts = "1 clip, 0.0 minutes; rejected: 1 too_short\n"
    assert run(*two, "-o", "c", "-q", "--val", "0") == (0, "c\n", counts)
    status, _, text = run(*two, "-o", "e", "-q", "--val", "0.01")
    assert status == 0 and text.startswith(f"{counts}note: all speakers are in the split 'train'")
    assert run(two[0], "-o", "d", "-q") == (1, "d\n", "0 clips, 0.0 minutes; rejected: 1 too_short\n")


@pytest.mark.skipif(os.name != "posix", reason="groups of processes exist on POSIX only")
def test_control_c(videos: Path, tmp_path: Path, installed: None) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [
        sys.executable,
        "-m",
        "headmotion",
        "prepare",
        "--detector",
        "blobs/squares",
        "-o",
        "c",
        "--workers",
        "2",
    ]
    running = subprocess.Popen(
        [*command, str(videos)],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (tmp_path / "c" / STAGING).exists():
        time.sleep(0.01)
    time.sleep(0.3)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does, to the workers too
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130 and "error: interrupted" in err and "Traceback" not in err and not out
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_options_reach_the_function(videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    received = {}

    def remember(videos: object, output: Path, **options: object) -> Path:
        received.update(options)
        return output

    import headmotion.preparation

    monkeypatch.setattr(headmotion.preparation, "prepare", remember, raising=False)
    options = "--detector mediapipe --crop face --min-seconds 1 --max-seconds 9 --min-face-px 20 --max-offset-ms 40"
    (tmp_path / "syncers.safetensors").touch()
    options += f" --syncers {tmp_path / 'syncers.safetensors'} --frames 64 --frame-quality 80 --labels"
    more = "--speaker file --val 0.5 --license CC0 --distribute --ray auto --timeout 7 --quiet"
    arguments = ["prepare", str(videos), "-o", str(tmp_path / "c"), *options.split(), *more.split()]
    done = click.testing.CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.exception is None and done.return_value == 1
    assert received == {
        "detector": "mediapipe",
        "representation": None,
        "crop": "face",
        "min_seconds": 1,
        "max_seconds": 9,
        "min_face_px": 20,
        "max_offset_ms": 40,
        "frames": 64,
        "frame_quality": 80,
        "labels": True,
        "syncers": tmp_path / "syncers.safetensors",
        "speaker": "file",
        "val": 0.5,
        "license": "CC0",
        "distribute": True,
        "workers": None,
        "ray": "auto",
        "stall_seconds": 7,
        "quiet": True,
    }


@pytest.mark.skipif(os.name != "posix", reason="links need no rights on POSIX")
@pytest.mark.parametrize("name", [STAGING, ".staged"])
def test_a_staging_area_that_is_a_link_is_not_followed(videos: Path, tmp_path: Path, name: str) -> None:
    """An output folder from elsewhere may have one, and what it names is not of this call."""
    (tmp_path / "other" / "corpus").mkdir(parents=True)
    (tmp_path / "other" / "corpus" / "file").write_text("precious")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / name).symlink_to("../other")
    prepare(videos / "speaker 1", tmp_path / "c", SLOW, workers=0, quiet=True)
    assert [path.name for path in (tmp_path / "other").rglob("*")] == ["corpus", "file"]
    assert not any(path.name.startswith(".") for path in (tmp_path / "c").iterdir())
