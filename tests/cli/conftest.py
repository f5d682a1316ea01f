"""The command in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import headmotion as hm
from headmotion import cli


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights: what it generates does not matter."""
    spec = hm.PipelineSpec(generator={"type": "ms-sync", "preset": "small"})  # type: ignore[arg-type]
    return hm.build(spec).save(tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture
def run(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command's own entry point in this process: status, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["headmotion", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        captured = capfd.readouterr()
        return int(exit_.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def mistake(run: Callable[..., tuple[int, str, str]], workdir: Path) -> Callable[..., str]:
    """Run a command that must fail: one line, status 2, and no file made. Returns the line."""

    def call(*arguments: object) -> str:
        before = set(workdir.rglob("*"))
        status, out, err = run(*arguments)
        assert (status, out) == (2, ""), err
        assert err.startswith("error: ") and err.count("\n") == 1, err
        assert set(workdir.rglob("*")) == before
        return err

    return call
