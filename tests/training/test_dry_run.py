import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner

from headmotion.cli import cli
from headmotion.training.dry_run import DryRun, dry_run, peak_memory
from headmotion.training.recipe import RecipeSpec, load_recipe


def test_a_dry_run_measures_and_writes_nothing(
    small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    measured = dry_run("smoke", [small_corpus], "cpu", ["phases.syncers.steps=1000"])
    assert measured.parameters.keys() == {"syncers: syncers", "generator: generator", "generator: discriminator"}
    assert all(count > 1000 for count in measured.parameters.values())
    steps = measured.step_seconds
    assert all(0 < seconds < 10 for seconds in steps.values())
    assert measured.seconds == pytest.approx(1000 * steps["syncers"] + 10 * steps["generator"])
    assert 50e6 < measured.memory < 50e9
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of one process is known on Linux only")
def test_memory_of_the_parent_process_does_not_count() -> None:
    parent_memory = bytes(range(256)) * (1 << 23)  # 2 GB
    code = "import torch; from headmotion.training.dry_run import peak_memory; print(peak_memory(torch.device('cpu')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 50e6 < int(done.stdout) < len(parent_memory)


def test_without_the_module_resource_memory_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    monkeypatch.setattr("headmotion.training.dry_run.STATUS", tmp_path / "none")
    assert peak_memory(torch.device("cpu")) is None
    lines = str(DryRun(load_recipe("smoke"), {}, {}, None, "cpu", 1)).splitlines()
    assert lines[0].split() == ["#", "unknown", "MB", "at", "most,", "of", "each", "process"]


def test_the_command_prints_a_recipe_that_can_be_used(small_corpus: Path, tmp_path: Path) -> None:
    arguments = ["train", "smoke", "--data", str(small_corpus), "--set", "seed=5", "--device", "cpu", "--dry-run"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert RecipeSpec.model_validate(yaml.safe_load(result.output)) == load_recipe("smoke", ["seed=5"])
    comments = [line for line in result.output.splitlines() if line.startswith("#")]
    assert len(comments) == 7 and "seconds per step of syncers" in comments[3]


def test_a_run_needs_a_folder(small_corpus: Path) -> None:
    result = CliRunner().invoke(cli, ["train", "smoke", "--data", str(small_corpus)])
    assert result.exit_code == 2 and "--output" in result.output


def test_a_training_prints_the_last_values_of_each_phase(
    small_corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    short = ["--set", "phases.syncers.steps=1", "--set", "phases.generator.steps=1", "--device", "cpu"]
    cli.main(
        ["train", "smoke", "--data", str(small_corpus), "-o", str(tmp_path / "run"), *short], standalone_mode=False
    )
    out, err = capfd.readouterr()
    assert out.strip() == str(tmp_path / "run" / "model.safetensors")
    assert "generator, step 0: d_frame " in err and "syncers, step 0: level0 " in err and ", sync " in err
