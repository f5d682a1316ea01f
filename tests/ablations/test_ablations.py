"""The benchmark of ablations: protocols, runs that are trained once, and what its tables say."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import headmotion as hm
from benchmarks.ablations import __main__ as ablations
from benchmarks.ablations.measured import Measured
from benchmarks.ablations.protocol import Column, load_protocol
from benchmarks.ablations.runs import Runs
from benchmarks.ablations.tables import difference_table, mean_over_seeds, value_table
from benchmarks.talking_heads.recording import choose
from headmotion.data.corpus import open_corpus
from headmotion.testing import write_drawn_faces

PROTOCOL = """
name: tiny
recipe: smoke
steps: {syncers: 1, generator: 1}
set: [phases.syncers.frames=20, phases.syncers.pyramid.levels=1, phases.syncers.group_size=4]
share_syncers: true
variants: {base: , slow: ["phases.generator.optimizer.lr=0.00001"]}
motion: {opening: {metric: {type: opening}, value: correlation}}
splits: {train: 2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "protocol.yaml").write_text(PROTOCOL)
    return tmp_path


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("colour: red", "no field 'colour'"),
        ("variants: {base: a=1}", "variants"),
        ("motion: {}", "something to measure, got neither pictures nor motion"),
        ("- list", "a YAML"),
    ],
)
def test_a_protocol_with_a_mistake_is_one_line(folder: Path, change: str, expected: str) -> None:
    path = folder / "protocol.yaml"
    key = change.partition(":")[0]
    others = "".join(f"{line}\n" for line in PROTOCOL.splitlines() if not line.startswith(key))
    path.write_text(change if change.startswith("-") else f"{others}{change}\n")
    with pytest.raises(hm.SpecError, match=expected):
        load_protocol(path)


def test_yaml_may_read_the_recorded_motion_as_a_truth_value(folder: Path) -> None:
    path = folder / "protocol.yaml"
    path.write_text(PROTOCOL + "pictures: [true, own]\n")
    assert load_protocol(path).pictures == ("true", "own")


def test_a_recipe_may_lie_beside_the_protocol(folder: Path) -> None:
    path = folder / "protocol.yaml"
    path.write_text(PROTOCOL.replace("recipe: smoke", "recipe: own.yaml"))
    (folder / "own.yaml").write_text("name: own")
    assert load_protocol(path).recipe == str(folder / "own.yaml")


def test_a_change_that_the_recipe_does_not_take_costs_no_training(folder: Path, tmp_path: Path) -> None:
    path = folder / "protocol.yaml"
    path.write_text(PROTOCOL.replace("phases.generator.optimizer.lr", "phases.generator.optimizer.rate"))
    corpus = write_drawn_faces(tmp_path / "corpus", clips=2)
    with pytest.raises(hm.SpecError, match="rate"):
        Runs(load_protocol(path), corpus, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_runs_are_trained_once_and_a_changed_protocol_has_others(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write_drawn_faces(tmp_path / "corpus")
    output, page = tmp_path / "runs", tmp_path / "page.md"
    page.write_text("Above.\n<!-- ablations: tiny -->\nold\n<!-- end of ablations -->\nBelow.\n")
    command = [str(folder / "protocol.yaml"), "--data", str(corpus), "-o", str(output), "--page", str(page)]
    monkeypatch.setattr(sys, "argv", ["ablations", *command])
    ablations.main()
    models = sorted(output.glob("*/model.safetensors"))
    # The first run trains the syncers that guide all of them.
    assert [path.parent.name[:10] for path in output.glob("*/log.jsonl") if '"syncers"' in path.read_text()] == [
        "base-seed0"
    ]
    assert [path.parent.name.rpartition("-")[0] for path in models] == [
        "base-seed0", "base-seed1", "slow-seed0", "slow-seed1"
    ]  # fmt: skip
    text = page.read_text()
    assert text.startswith("Above.\n") and text.endswith("Below.\n") and "old" not in text
    assert "**Generated motion: train, 2 clips" in text and "| slow | " in text
    (values,) = json.loads((output / "values.json").read_text()).values()
    assert [len(values["base"]), len(values["base"][0])] == [2, 2]
    times = [path.stat().st_mtime_ns for path in models]
    ablations.main()
    assert [path.stat().st_mtime_ns for path in models] == times
    other = load_protocol(folder / "protocol.yaml").model_copy(update={"steps": {"syncers": 1, "generator": 2}})
    assert Runs(other, corpus, output).folder_of("base", 0) != Runs(
        load_protocol(command[0]), corpus, output
    ).folder_of("base", 0)


def test_pictures_have_further_columns(tmp_path: Path) -> None:
    corpus = write_drawn_faces(tmp_path / "corpus", clips=1)
    (recording,) = choose(open_corpus(corpus), "train", 1)
    columns = {
        "whole": Column(metric={"type": "psnr"}, value="psnr_db"),
        "unknown": Column(metric={"type": "psnr"}, value="psnr_lips"),
    }
    measured = Measured(tmp_path / "measured")
    values = measured.still(recording, {"whole": columns["whole"]})
    assert values["whole"] == pytest.approx(values["PSNR (dB)"])
    with pytest.raises(hm.SpecError, match="column 'unknown': expected a value among psnr_db"):
        measured.still(recording, columns)


def test_tables_show_whether_seeds_agree() -> None:
    base = [[{"SSIM": 0.5}, {"SSIM": 0.7}], [{"SSIM": 0.6}, {"SSIM": 0.8}]]
    up = [[{"SSIM": clip["SSIM"] + gain} for clip in clips] for clips, gain in zip(base, (0.1, 0.2), strict=True)]
    mixed = [[{"SSIM": clip["SSIM"] + gain} for clip in clips] for clips, gain in zip(base, (0.4, -0.1), strict=True)]
    assert [round(clip["SSIM"], 6) for clip in mean_over_seeds(base)] == [0.55, 0.75]
    assert value_table({"base": base}, ["SSIM"])[2] == "| base | 0.65 (0.55 to 0.75) |"
    lines = difference_table({"up": up, "mixed": mixed}, base, ["SSIM", "other"])
    assert lines[2] == "| up | **+0.15** (+0.15 to +0.15); +0.1, +0.2 | - |"
    assert lines[3] == "| mixed | +0.15 (+0.15 to +0.15); +0.4, -0.1 | - |"
