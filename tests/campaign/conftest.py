"""What the campaign's tests share: good files, a place to damage copies of them, and the rules."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from judge import Judge

from benchmarks.stress.good_files import MAKERS, corpus


@pytest.fixture(autouse=True)
def only_on_posix() -> None:
    if sys.platform == "win32":
        pytest.skip("the campaign limits time and memory by means that only POSIX has")


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The content of a good file of each format, by name."""
    folder = tmp_path_factory.mktemp("good")
    for name, make in MAKERS.items():
        make(folder / name)
    return {name: (folder / name).read_bytes() for name in MAKERS}


@pytest.fixture(scope="session")
def good_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("good") / "corpus")


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; temporary files go to an empty folder too."""
    for name in ("here", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / "here"


@pytest.fixture
def judge(workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Judge:
    """Runs the command in this process; see `Judge`."""
    monkeypatch.setattr(sys, "argv", sys.argv)  # put back afterwards
    return Judge(workdir, capfd)
