"""Recipes: one YAML file says what is trained, how clips become batches, and in which phases."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ..core.arguments import as_path
from ..core.bundled import absent_plugin
from ..core.errors import SpecError, did_you_mean
from ..core.files import open_regular
from ..core.interfaces.specs import PhaseSpec
from ..core.pipeline_spec import PipelineSpec
from ..core.plugins import registry
from ..core.short_repr import short_repr
from ..core.spec import SpecField
from .safe_yaml import MAX_BYTES, read_yaml
from .settings import DataSpec, RecipePart

MOVED_KEYS = {
    "syncers": "phases.syncers, with type: contrastive",
    "generator": "phases.generator, with type: adversarial",
    "syncer": "phases.syncers.syncer",
    "pyramid": "phases.syncers.pyramid",
    "discriminator": "phases.generator.discriminator",
}
"""New places of keys that recipes had before phases were parts."""
PHASE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
"""Names of phases, which become names of files and of parameters in a training state."""


class RecipeSpec(RecipePart):
    """Everything that `headmotion train` needs besides data."""

    name: str
    """Name of the model."""
    pipeline: PipelineSpec = PipelineSpec()
    """The pipeline whose parts are trained. Without a representation, or with null, it gets that of the corpora."""
    data: DataSpec = DataSpec()
    """How clips become batches."""
    phases: dict[str, SpecField[PhaseSpec]] = Field(min_length=1)
    """What is done, by name and in this order. A phase can use what earlier ones made."""
    seed: int = Field(0, ge=0, lt=1 << 32)
    """Seed of initial weights, batches and noise."""
    save_every: int = Field(200, ge=1, le=1_000_000_000)
    """Steps between two saves of the training state."""
    preview_every: int = Field(200, ge=0, le=1_000_000_000)
    """Steps between two previews of what a phase trains; 0 makes none."""
    precision: Annotated[Literal["32", "bf16", "64"], BeforeValidator(str)] = "32"
    """Bits of floating-point numbers: ``bf16`` runs the trained networks under autocast, ``64`` is for checking."""
    grad_accumulation: int = Field(1, ge=1, le=100_000)
    """Parts in which a process computes its clips of a step, one after another: saves memory, changes no result."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_moved_keys(cls, data: Any) -> Any:
        for old, new in MOVED_KEYS.items():
            if isinstance(data, dict) and old in data:
                place = new.partition(",")[0]
                raise SpecError("recipe", f"the key {place}", repr(old), f"move it to {new}")
        return data

    @model_validator(mode="before")
    @classmethod
    def _leave_out_null(cls, data: Any) -> Any:
        pipeline = data.get("pipeline") if isinstance(data, dict) else None
        if isinstance(pipeline, dict) and pipeline.get("representation", "") is None:
            pipeline = {name: value for name, value in pipeline.items() if name != "representation"}
            return {**data, "pipeline": pipeline}
        return data

    @property
    def names_representation(self) -> bool:
        """Whether the representation is chosen, rather than left to the corpora."""
        return "representation" in self.pipeline.model_fields_set

    @field_validator("phases")
    @classmethod
    def _plain_names(cls, phases: dict[str, PhaseSpec]) -> dict[str, PhaseSpec]:
        for name in phases:
            if not PHASE_NAME.fullmatch(name):
                expected = "names of phases of at most 40 lower-case letters, digits, - and _"
                raise SpecError("recipe", expected, short_repr(name))
        return phases


def load_recipe(source: str | os.PathLike[str], overrides: Sequence[str] = ()) -> RecipeSpec:
    """Read a recipe.

    Args:
        source: a bundled name or a YAML file.
        overrides: ``a.b=value`` changes, in this order; values are YAML.

    Raises:
        SpecError: no such recipe, not YAML, or an unknown key.
    """
    source = as_path(source, "recipe", SpecError)
    path = registry().recipes.get(os.fspath(source).replace(os.sep, "/"), Path(source))
    try:
        with open_regular(path) as stream:
            data = read_yaml(stream.read(MAX_BYTES + 1))
    except OSError:
        known = sorted(registry().recipes)
        got = repr(os.fspath(source))
        if path.suffix.lower() in (".yaml", ".yml"):
            nearby = did_you_mean(
                path.name, _names_in(path.parent), "`headmotion plugins` lists those that are bundled"
            )
            raise SpecError("recipe", "a YAML file that can be read", got, nearby) from None
        name = os.fspath(source)
        remedy = "; ".join(filter(None, (did_you_mean(name, known), absent_plugin(name))))
        raise SpecError("recipe", f"a YAML file or one of {', '.join(known)}", got, remedy) from None
    except ValueError as error:
        raise SpecError("recipe", "YAML", f"{path}: {error}") from None
    if not isinstance(data, dict):
        got = "an empty file" if data is None else short_repr(data)
        raise SpecError("recipe", "a YAML mapping, of a name and phases", f"{path}: {got}")
    try:
        recipe = RecipeSpec.model_validate(data)
    except SpecError as error:
        raise SpecError(f"{path}, {error.component}", error.expected, error.got, error.remedy) from None
    if not overrides:
        return recipe
    data = recipe.model_dump(mode="json")
    for override in overrides:
        _apply_override(data, override)
    is_named = any(override.startswith(("pipeline=", "pipeline.representation")) for override in overrides)
    if not (recipe.names_representation or is_named):
        del data["pipeline"]["representation"]  # the default, which would look like a choice
    return RecipeSpec.model_validate(data)


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _apply_override(data: dict[str, Any], override: str) -> None:
    path, equals, value = override.partition("=")
    *parents, key = path.split(".")
    if not equals or not all((*parents, key)):
        raise SpecError("override", "a.b=value", repr(override))
    if parents[:1] == ["phases"] and len(parents) > 1 and key != "type":
        # A phase that is misspelled must not become a new one, which would lack a type.
        phases = data["phases"]
        if isinstance(phases, dict) and parents[1] not in phases:
            remedy = did_you_mean(parents[1], map(str, phases))
            raise SpecError("override", f"a phase among {', '.join(map(str, phases))}", repr(override), remedy)
    place: dict[str, Any] | list[Any] = data
    for name in parents:
        place = _item(place, name, override) if isinstance(place, list) else place.setdefault(name, {})
        if not isinstance(place, dict | list):
            raise SpecError("override", f"a mapping at {name!r}", repr(override))
    try:
        given = read_yaml(value)
    except ValueError as error:
        raise SpecError("override", "a.b=value with a YAML value", f"{short_repr(override)}: {error}") from None
    if isinstance(place, list):
        place[_index(place, key, override)] = given
        return
    if key == "type":
        # The fields of one type are unknown to another.
        place.clear()
    place[key] = given


def _item(items: list[Any], name: str, override: str) -> Any:
    """Return an item of a list; one that is written as its type alone is replaced by its fields."""
    index = _index(items, name, override)
    if isinstance(items[index], str):
        items[index] = {"type": items[index]}
    return items[index]


def _index(items: list[Any], name: str, override: str) -> int:
    """Return the place in a list that a key of an override names: its number from 0, or the type of one item."""
    types = [item.get("type") if isinstance(item, dict) else item for item in items]
    if types.count(name) == 1:
        return types.index(name)
    if name in map(str, range(len(items))):
        return int(name)
    once = [text for text in types if isinstance(text, str) and types.count(text) == 1]
    known = ", ".join(
        [*once, f"or a number from 0 to {len(items) - 1}"] if items else ["nothing, as the list is empty"]
    )
    raise SpecError("override", f"an item of the list: {known}", repr(override))
