import json
import math
from pathlib import Path

import pytest
import torch

import headmotion as hm
from headmotion.core.checkpoint import load_checkpoint, read_header, save_checkpoint
from headmotion.sync.trained import load_syncers
from headmotion.training import train
from headmotion.training.objectives import DistanceMargin, InfoNCE
from headmotion.training.recipe import RecipeSpec, load_recipe

SHORT = ["phases.syncers.steps=3", "save_every=2"]
SYNCERS_ONLY = ["phases.syncers.objective=distance-margin", "phases.generator.steps=0", *SHORT]


def test_fields_of_the_objective_may_be_given_in_the_phase() -> None:
    phase = {"type": "contrastive", "temperature": 0.5, "margin": {"start": 0.001, "factor": 1.002}}
    flat = {"name": "flat", "phases": {"syncers": phase}}
    recipe = RecipeSpec.model_validate(flat)
    objective = recipe.phases["syncers"].objective  # type: ignore[attr-defined]
    assert isinstance(objective, InfoNCE) and objective.temperature == 0.5 and objective.margin.at(0) == 0.001  # type: ignore[union-attr]
    assert RecipeSpec.model_validate(json.loads(recipe.model_dump_json())) == recipe


@pytest.mark.parametrize(
    ("overrides", "objective"),
    [
        (["phases.syncers.temperature=0.3"], InfoNCE(temperature=0.3)),
        (["phases.syncers.objective.temperature=0.3"], InfoNCE(temperature=0.3)),
        (["phases.syncers.objective=distance-margin"], DistanceMargin()),
        (["phases.syncers.objective={type: distance-margin, margin: 3}"], DistanceMargin(margin=3)),
        (["phases.syncers.objective.type=distance-margin", "phases.syncers.margin=3"], DistanceMargin(margin=3)),
    ],
)
def test_overrides(overrides: list[str], objective: InfoNCE | DistanceMargin) -> None:
    assert load_recipe("smoke", overrides).phases["syncers"].objective == objective  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "overrides",
    [
        ["phases.syncers.objective=triplet"],
        ["phases.syncers.objective=distance-margin", "phases.syncers.temperature=1"],
        ["phases.syncers.objective=3", "phases.syncers.temperature=1"],
        ["phases.syncers.objective={type: distance-margin, margin: 0}"],
    ],
)
def test_a_bad_objective_is_one_clear_error(overrides: list[str]) -> None:
    with pytest.raises(hm.SpecError, match=r"objective|distance-margin"):
        load_recipe("smoke", overrides)


def test_losses_at_chance() -> None:
    same = torch.nn.functional.normalize(torch.ones(2, 12, 8), dim=-1)
    assert float(InfoNCE().loss(same, same, 0)) == pytest.approx(InfoNCE().chance(12), rel=1e-4) == 2 * math.log(12)
    half = torch.zeros(2, 12, 8)
    half[..., 0] = 5.0
    assert float(DistanceMargin().loss(half, torch.zeros_like(half), 0)) == DistanceMargin().chance(12) == 25.0


def test_a_recipe_without_generator_steps_makes_syncers_and_no_model(small_corpus: Path, tmp_path: Path) -> None:
    syncers = train("smoke", [small_corpus], tmp_path / "run", device="cpu", quiet=True, overrides=SYNCERS_ONLY)
    assert syncers == tmp_path / "run" / "syncers.safetensors"
    assert not (tmp_path / "run" / "model.safetensors").exists()
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert {line["phase"] for line in lines} == {"syncers"} and "top1_3" in lines[0]
    assert load_syncers(syncers).space == "free"
    assert read_header(syncers).card["clips"] == 8
    other_renderer = [*SYNCERS_ONLY, "pipeline.renderer=skeleton"]
    train("smoke", [small_corpus], tmp_path / "run", device="cpu", quiet=True, overrides=other_renderer, resume=True)


def test_syncers_of_another_objective_are_refused(small_corpus: Path, tmp_path: Path) -> None:
    other = train("smoke", [small_corpus], tmp_path / "a", device="cpu", quiet=True, overrides=SYNCERS_ONLY)
    with pytest.raises(hm.TrainingError, match="differs in space"):
        train("smoke", [small_corpus], tmp_path / "b", device="cpu", quiet=True, overrides=SHORT, syncers=other)


def test_syncers_without_a_space_are_compared_at_unit_length(small_corpus: Path, tmp_path: Path) -> None:
    changes = ["phases.generator.steps=0", *SHORT]
    syncers = train("smoke", [small_corpus], tmp_path / "run", device="cpu", quiet=True, overrides=changes)
    header, tensors = load_checkpoint(syncers)
    spec = {name: value for name, value in header.spec.items() if name != "space"}
    assert load_syncers(save_checkpoint(tmp_path / "old.safetensors", spec, tensors)).space == "unit"


def test_the_recipe_of_metric_syncers() -> None:
    recipe = load_recipe("metric-syncers")
    assert list(recipe.phases) == ["syncers"]
    assert recipe.phases["syncers"].objective == DistanceMargin(margin=10)  # type: ignore[attr-defined]
