"""Folders that cannot be written to, disks that are full."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from judge import Judge

from benchmarks.stress.good_files import recipe

COMMAND = Path(sys.executable).with_name("headmotion")

resource = pytest.importorskip("resource", reason="only POSIX limits the size of files")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Every file that grows beyond so many bytes meets an error, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(autouse=True)
def files(workdir: Path, good: Mapping[str, bytes]) -> None:
    for name in ("speech.wav", "face.png", "pose.npz", "model.safetensors"):
        (workdir / name).write_bytes(good[name])
    (workdir / "recipe.yaml").write_text(json.dumps(recipe()))


ANIMATE = ["animate", "speech.wav", "--model", "model.safetensors", "-q"]
PORTRAIT = [*ANIMATE, "--image", "face.png", "--landmarks", "pose.npz"]


@pytest.mark.parametrize("size", [600, 1500, 3000, 4500, 6000, 8000])
@pytest.mark.parametrize("name", ["talk.mp4", "talk.webm"])
def test_a_disk_that_fills_up_while_rendering(name: str, size: int, workdir: Path, judge: Judge) -> None:
    with largest_file(size):
        outcome = judge(*PORTRAIT, "-o", f"made/{name}")
    assert outcome.status == 2 or (workdir / "made" / name).stat().st_size <= size


def test_a_video_that_just_fits(workdir: Path, judge: Judge) -> None:
    judge.accepted(*PORTRAIT, "-o", "made/talk.mp4")
    size = (workdir / "made" / "talk.mp4").stat().st_size
    for room, status in ((size, 0), (size - 1, 2), (size - 100, 2)):
        shutil.rmtree(workdir / "made", ignore_errors=True)
        with largest_file(room):
            assert judge(*PORTRAIT, "-o", "made/talk.mp4").status == status


def test_other_results_on_a_full_disk(workdir: Path, judge: Judge) -> None:
    with largest_file(600):
        judge.refused("schema", "-o", "made/schema.json")


@pytest.mark.parametrize("size", [600, 20_000, 300_000])
def test_a_disk_that_fills_up_while_training(size: int, workdir: Path, judge: Judge, good_corpus: Path) -> None:
    """What was saved before stays; nothing is half there."""
    shutil.copytree(good_corpus, workdir / "corpus")
    (workdir / "run").mkdir()
    with largest_file(size):
        outcome = judge(
            "train", "recipe.yaml", "--data", "corpus", "-o", "run", "-q", changes=workdir / "run", partial=True
        )
    assert outcome.status == 2
    assert not (workdir / "run" / "model.safetensors").exists()
    judge.accepted("train", "recipe.yaml", "--data", "corpus", "-o", "run", "-q", "--resume", changes=workdir / "run")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], capture_output=True)
    if not made or made.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    (folder / "filler").write_bytes(bytes(12 << 10))
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_full(small_disk: Path, judge: Judge, good_corpus: Path) -> None:
    judge.refused(*PORTRAIT, "-o", small_disk / "made" / "talk.mp4")
    judge.refused("train", "recipe.yaml", "--data", good_corpus, "-o", small_disk / "run", "-q")
    assert not (small_disk / "made").exists()
    assert not [path for path in small_disk.rglob("*") if path.name.startswith((".", "model"))]


def test_standard_output_that_is_full(workdir: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([COMMAND, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, cwd=workdir)
    assert done.returncode == 2 and done.stderr == "error: standard output: No space left on device\n"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried 5\nframes"
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        Exception("OpenCV(4.9) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 5 bytes"),
    ],
)
def test_a_machine_without_memory(error: Exception, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headmotion.pipeline.loading.load_checkpoint", mock.Mock(side_effect=error))
    assert judge.refused(*ANIMATE, "-o", "made/talk.mp4").startswith("error: not enough memory")


def test_other_failures_are_not_hidden(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "headmotion.pipeline.loading.load_checkpoint", mock.Mock(side_effect=RuntimeError("a mistake of ours"))
    )
    with pytest.raises(RuntimeError, match="of ours"):
        judge(*ANIMATE, "-o", "made/talk.mp4")


@pytest.mark.parametrize(
    "name", ["made/talk.mp4", "made/deeper/talk.mp4", "speech.wav/talk.mp4", "./made/../made/a.mp4"]
)
def test_a_file_where_a_folder_should_be(name: str, workdir: Path, judge: Judge) -> None:
    (workdir / "made").write_text("a file")
    judge.refused(*ANIMATE, "-o", name)
    judge.refused("schema", "-o", name)
    judge.refused("train", "smoke", "--data", ".", "-o", name)


@pytest.fixture
def locked(workdir: Path) -> Iterator[Path]:
    """A folder that is not to be written to, not even by root."""
    folder = workdir / "locked"
    folder.mkdir()
    (folder / "old.mp4").write_bytes(b"old")
    lock, unlock = (["chmod", "555"], ["chmod", "755"]) if os.geteuid() else (["chattr", "+i"], ["chattr", "-i"])
    if not shutil.which(lock[0]) or subprocess.run([*lock, folder], capture_output=True).returncode:
        pytest.skip("root may write everywhere, and this file system cannot lock a folder")
    yield folder
    subprocess.run([*unlock, folder], check=True)


def test_a_folder_that_is_read_only(locked: Path, judge: Judge) -> None:
    for name in ("talk.mp4", "old.mp4", "deeper/talk.mp4"):
        assert "locked" in judge.refused(*ANIMATE, "-o", locked / name)
    assert "locked" in judge.refused("schema", "-o", locked / "schema.json")
    assert "locked" in judge.refused("train", "smoke", "--data", ".", "-o", locked / "run")
    assert "locked" in judge.refused("demo", "-o", locked)


@pytest.mark.parametrize("name", ["talk.gif", "talk.npz", "talk.json"])
def test_errors_on_a_full_disk_name_the_file_of_the_user(name: str, workdir: Path, judge: Judge) -> None:
    with largest_file(600):
        line = judge.refused(*(PORTRAIT if name.endswith("gif") else ANIMATE), "-o", f"made/{name}")
    assert f"made/{name} (File too large)" in line and ".headmotion-" not in line
