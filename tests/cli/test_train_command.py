"""What the command train does around a training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from headmotion import training
from headmotion.cli import cli
from headmotion.data.synthetic.talking_faces import write_synthetic


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_synthetic(tmp_path_factory.mktemp("data") / "corpus", clips=2, seconds=2.2)


def train(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["train", *map(str, arguments)])


@pytest.mark.parametrize(
    ("chosen", "spins"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, None)],
    ids=["default", "spins", "policy"],
)
def test_waiting_threads_sleep_soon_unless_the_user_chooses(
    chosen: dict[str, str], spins: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    assert train("no recipe", "--data", "none", "--dry-run").exit_code
    assert os.environ.get("GOMP_SPINCOUNT") == spins


@pytest.mark.parametrize(("is_saved", "text"), [(True, "goes on from the last saved step"), (False, "nothing is")])
def test_an_interrupt_says_how_to_go_on(
    is_saved: bool, text: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"

    def interrupted(*_: Any, **__: Any) -> Path:
        run.mkdir()
        if is_saved:
            (run / "state.safetensors").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", interrupted)
    result = train("smoke", "--data", corpus, "-o", run)
    assert result.exit_code and text in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["blendshapes-cpu", "-o", "elsewhere/run"], True),
        (["blendshapes-cpu", "--dry-run"], True),
        (["blendshapes-cpu", "-o", "run", "--set", "data.feature_cache=mine"], False),
        (["blendshapes-cpu", "-o", "run", "--quiet"], False),
        (["smoke", "-o", "run"], False),
    ],
)
def test_the_folder_of_features_of_a_bundled_recipe_is_said(
    arguments: list[str], said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = train(*arguments, "--data", "nowhere")
    assert result.exit_code and "nowhere" in str(result.exception)
    assert (f"note: features of the clips are kept in {tmp_path}/runs/features" in result.stderr) == said
