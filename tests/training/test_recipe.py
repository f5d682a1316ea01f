from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from headmotion.core.errors import SpecError
from headmotion.training.recipe import load_recipe


@pytest.mark.parametrize("name", ["smoke", "small-cpu", "paper-short"])
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
    assert load_recipe(Path("ablation") / "single-scale").generator.losses[0].levels == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("accumulate", "grad_accumulation"),
        ("sample_every", "preview_every"),
        ("data.pace", "time_stretch"),
        ("syncers.pace", "time_stretch"),
        ("generator.average", "ema_decay"),
        ("syncers.optimizer.final_share", "lr_drop_fraction"),
        ("generator.discriminator_optimizer.final_share", "lr_drop_fraction"),
    ],
)
def test_an_old_key_is_one_error_that_names_the_new_one(old: str, new: str, tmp_path: Path) -> None:
    *parents, key = old.split(".")
    data: dict[str, Any] = {key: 1}
    for name in reversed(parents):
        data = {name: data}
    recipe = tmp_path / "old.yaml"
    recipe.write_text(yaml.safe_dump({"name": "old"} | data))
    for source, overrides in ((recipe, []), ("smoke", [f"{old}=1"])):
        with pytest.raises(SpecError) as caught:
            load_recipe(source, overrides)
        assert str(caught.value).endswith(f"expected the key {new!r}, got {key!r}; rename {key!r} to {new!r}")
