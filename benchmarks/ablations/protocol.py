"""The protocol of an ablation: a YAML file that says what is trained, how it differs, and how it is measured."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

import headmotion as hm
from headmotion.core.files import open_regular
from headmotion.core.plugins import registry
from headmotion.training.recipe import RecipeSpec, load_recipe
from headmotion.training.safe_yaml import MAX_BYTES, read_yaml

Changes = tuple[str, ...]
"""Changes ``a.b=value`` of a recipe, as those of ``headmotion train --set``."""
Word = Annotated[str, BeforeValidator(lambda value: str(value).lower() if isinstance(value, bool) else value)]
"""A word that YAML may read as a truth value."""


class Column(hm.Spec):
    """A column of values of generated motion, or of drawn pictures."""

    metric: dict[str, Any]
    """Spec of a metric with values per clip, such as ``{type: av-sync}``."""
    value: str
    """Name of the value."""


class Variants(hm.Spec):
    """What an ablation trains."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """Name of the ablation."""
    recipe: str
    """Name of the recipe that all variants change, or its file: a path, or the name of one next to the protocol."""
    set: Changes = ()
    """Changes for all variants."""
    steps: dict[str, int] = Field(default_factory=dict)
    """Steps by phase, for all variants."""
    variants: dict[str, Changes] = Field(min_length=1)
    """Further changes by the name of the variant. The others are compared with the first."""
    seeds: tuple[int, ...] = Field((0, 1), min_length=1)
    """Each variant is trained with each of them."""
    share_syncers: bool = False
    """Whether the syncers that the first run trains guide all runs, instead of training them again."""

    def changes(self, variant: str, seed: int) -> list[str]:
        """Return the changes of the recipe that make a run."""
        steps = [f"phases.{phase}.steps={count}" for phase, count in self.steps.items()]
        return [*self.set, *self.variants[variant], *steps, f"seed={seed}", "preview_every=0"]

    def spec_of(self, variant: str, seed: int) -> RecipeSpec:
        """Return the recipe of a run.

        Raises:
            SpecError: a change that the recipe does not take.
        """
        return load_recipe(self.recipe, self.changes(variant, seed))

    @property
    def recipe_text(self) -> str:
        """The recipe that is changed, as its file has it."""
        return registry().recipes.get(self.recipe, Path(self.recipe)).read_text("utf-8")


class Protocol(Variants):
    """What an ablation trains, and how it is measured. Its tables stand between marks of its name in a page."""

    pictures: tuple[Word, ...] = ()
    """What is drawn and measured, one table each: ``true`` (the recorded motion), ``still``, ``own`` (what the model
    makes of the speech) or a model; see ``python -m benchmarks.talking_heads``. Its columns are the columns here."""
    picture_columns: dict[str, Column] = Field(default_factory=dict)
    """Further columns of the tables of pictures."""
    motion: dict[str, Column] = Field(default_factory=dict)
    """Columns of a table of what the model's generator makes of the speech."""
    splits: dict[str, int] = Field(min_length=1)
    """Clips by split, at most; they are spread over it."""
    leave_out: tuple[str, ...] = ()
    """Ids of clips that are damaged."""

    @model_validator(mode="after")
    def _measures_something(self) -> Protocol:
        if not self.pictures and not self.motion:
            raise hm.SpecError("ablation protocol", "something to measure", "neither pictures nor motion")
        return self


def load_protocol(path: str | os.PathLike[str]) -> Protocol:
    """Read a protocol.

    Raises:
        SpecError: no such file, not YAML, or an unknown key.
    """
    return Protocol.model_validate(_fields(path))


def load_variants(path: str | os.PathLike[str]) -> Variants:
    """Read the variants of an ablation that has measurements of its own.

    Raises:
        SpecError: no such file, not YAML, or an unknown key.
    """
    return Variants.model_validate(_fields(path))


def _fields(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        with open_regular(path) as stream:
            data = read_yaml(stream.read(MAX_BYTES + 1))
    except (OSError, ValueError) as error:
        raise hm.SpecError("ablation protocol", "a YAML file", f"{os.fspath(path)}: {error}") from None
    if not isinstance(data, Mapping):
        raise hm.SpecError("ablation protocol", "a YAML mapping", f"{os.fspath(path)}: {type(data).__name__}")
    # An empty list of changes is mostly written as nothing.
    variants = data.get("variants")
    if isinstance(variants, Mapping):
        data = {**data, "variants": {name: changes or [] for name, changes in variants.items()}}
    recipe_path = Path(path).parent / str(data.get("recipe"))
    return {**data, "recipe": str(recipe_path)} if recipe_path.is_file() else dict(data)
