from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from headmotion.core.errors import SpecError
from headmotion.training.recipe import load_recipe


@pytest.mark.parametrize("name", ["smoke", "small-cpu", "small-whisper", "paper-short"])
def test_bundled_recipes_can_be_written_and_read(name: str) -> None:
    recipe = load_recipe(name)
    assert type(recipe).model_validate_json(recipe.model_dump_json()) == recipe


def test_overrides_reach_into_parts_given_by_name() -> None:
    recipe = load_recipe("smoke", ["pipeline.audio_encoder.n_mels=20"])
    assert recipe.pipeline.audio_encoder.n_mels == 20  # type: ignore[attr-defined]


def test_a_bundled_recipe_may_lie_in_a_folder() -> None:
    for name in ("ablation/full", "ablation/single-scale", "ablation/single-scale-generator", "paper-long"):
        recipe = load_recipe(name)
        assert type(recipe).model_validate_json(recipe.model_dump_json()) == recipe
    assert load_recipe(Path("ablation") / "single-scale").phases["generator"].losses[0].levels == 1  # type: ignore[attr-defined]


def write(path: Path, changes: dict[str, Any]) -> Path:
    """Write a recipe with a value that is reached by a path of keys, in phases of the types that have it."""
    data: dict[str, Any] = {"name": "old", "phases": {"syncers": {"type": "contrastive"}}}
    data["phases"]["generator"] = {"type": "adversarial"}
    for where, value in changes.items():
        *parents, key = where.split(".")
        place = data
        for name in parents:
            place = place.setdefault(name, {})
        place[key] = value
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("accumulate", "grad_accumulation"),
        ("sample_every", "preview_every"),
        ("data.pace", "time_stretch"),
        ("phases.syncers.pace", "time_stretch"),
        ("phases.generator.average", "ema_decay"),
        ("phases.generator.generator_optimizer", "optimizer"),
        ("phases.syncers.optimizer.final_share", "lr_drop_fraction"),
        ("phases.generator.discriminator_optimizer.final_share", "lr_drop_fraction"),
    ],
)
def test_an_old_key_is_one_error_that_names_the_new_one(old: str, new: str, tmp_path: Path) -> None:
    key = old.rpartition(".")[2]
    for source, overrides in ((write(tmp_path / "old.yaml", {old: 1}), []), ("smoke", [f"{old}=1"])):
        with pytest.raises(SpecError) as caught:
            load_recipe(source, overrides)
        assert str(caught.value).endswith(f"expected the key {new!r}, got {key!r}; rename {key!r} to {new!r}")


@pytest.mark.parametrize(
    ("old", "remedy"),
    [
        ("pace", "expected the key 'time_stretch' of data or a phase, got 'pace'; move it there and rename it"),
        ("data.accumulate", "expected the key 'grad_accumulation' of the recipe, got 'accumulate'; move it there"),
        ("phases.syncers.average", "expected the key 'ema_decay' of an adversarial or supervised phase"),
        ("syncers.steps", "got 'syncers'; move it to phases.syncers, with type: contrastive"),
        ("generator.generator_optimizer.lr", "got 'generator'; move it to phases.generator, with type: adversarial"),
        ("syncer", "expected the key phases.syncers.syncer, got 'syncer'; move it to phases.syncers.syncer"),
        ("pyramid.levels", "move it to phases.syncers.pyramid"),
        ("discriminator", "move it to phases.generator.discriminator"),
    ],
)
def test_a_key_in_a_wrong_place_is_one_error_that_names_the_right_one(old: str, remedy: str, tmp_path: Path) -> None:
    for source, overrides in ((write(tmp_path / "old.yaml", {old: 1}), []), ("smoke", [f"{old}=1"])):
        with pytest.raises(SpecError) as caught:
            load_recipe(source, overrides)
        assert remedy in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "recipe: expected a YAML mapping, of a name and phases, got .*bad.yaml: an empty file"),
        ("- x\n", r"recipe: .*, got .*bad.yaml: \['x'\]"),
        ("name: x\n", "bad.yaml, recipe spec: expected the field 'phases'"),
        ("name: x\npipeline: {fps: never}\n", "bad.yaml, pipeline spec: expected fps"),
        ("name: x\nphases: {}\n", "phases"),
        ("name: x\nphases: {Big Name: fit}\n", "names of phases of at most 40"),
        ("name: x\nphases: {fit: fit, fit: fit}\n", "the key 'fit' twice in one mapping"),
        ("name: x\nphases: {fit: fitt}\n", "did you mean 'fit'"),
        ("name: x\nphases: {steady: absent/steady}\n", "such as headmotion-absent"),
        ("name: x\nphases: {generator: {type: adversarial, objective: wgan}}\n", "objective"),
    ],
)
def test_bad_phases_are_one_clear_error(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(SpecError, match=complaint) as caught:
        load_recipe(tmp_path / "bad.yaml")
    assert "\n" not in str(caught.value)


def test_overrides_reach_into_lists_by_number_and_by_type() -> None:
    at = "phases.generator.losses"
    losses = f"{at}=[sync, {{type: reconstruction, shape: 0.5}}]"

    def shown(*overrides: str) -> list[dict[str, Any]]:
        dumped = load_recipe("smoke", [losses, *overrides]).model_dump(mode="json")
        return list(dumped["phases"]["generator"]["losses"])

    assert shown(f"{at}.0.weight=3", f"{at}.reconstruction.shape=0.25")[0]["weight"] == 3
    assert shown(f"{at}.sync.weight=3", f"{at}.reconstruction.shape=0.25")[1]["shape"] == 0.25
    assert [loss["type"] for loss in shown(f"{at}.1=spread")] == ["sync", "spread"]
    expected = "an item of the list: sync, reconstruction, or a number from 0 to 1, got 'phases.generator.losses"
    for wrong in ("2", "-1", "snyc"):
        with pytest.raises(SpecError, match=expected):
            shown(f"{at}.{wrong}.weight=3")
    with pytest.raises(SpecError, match="a mapping at 'shape'"):
        shown(f"{at}.reconstruction.shape.x=3")


def test_a_recipe_that_is_not_there_is_named_with_what_is_like_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine")
    with pytest.raises(
        SpecError, match=r"a YAML file that can be read, got '.*mine\.yml'; did you mean 'mine\.yaml'\?$"
    ):
        load_recipe(tmp_path / "mine.yml")
    with pytest.raises(SpecError, match="got 'smol-cpu'; did you mean 'small-cpu'"):
        load_recipe("smol-cpu")


def test_a_misspelled_phase_in_an_override_is_named() -> None:
    with pytest.raises(SpecError, match=r"a phase among syncers, generator, got 'phases.generatr.steps=3'"):
        load_recipe("smoke", ["phases.generatr.steps=3"])
    with pytest.raises(SpecError, match="did you mean 'generator'"):
        load_recipe("smoke", ["phases.generatr.steps=3"])
    with pytest.raises(SpecError, match="did you mean 'smoke'"):
        load_recipe("smok")
    assert list(load_recipe("smoke", ["phases.fit.type=fit"]).phases) == ["syncers", "generator", "fit"]
