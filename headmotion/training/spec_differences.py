"""In which settings the pipelines of a recipe and of a model differ, as text and as options that make them alike."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..core.pipeline_spec import PipelineSpec
from ..core.short_repr import MAX_TEXT, shorten

PLACES = frozenset({"weights", "weights_in_checkpoint", "fetch"})
"""Fields that say where frozen weights lie; which ones they are is in ``weights_sha256``."""


class Difference(NamedTuple):
    """A setting that differs."""

    field: str
    """Path in the recipe, such as ``pipeline.generator.width``."""
    recipe: Any
    """The recipe's value, as JSON values."""
    model: Any
    """The model's value."""

    @property
    def part(self) -> str:
        """The field of the pipeline that it belongs to, such as ``generator``."""
        return self.field.split(".")[1]


def differences(recipe: PipelineSpec, model: PipelineSpec) -> list[Difference]:
    """Return all settings that differ, but for the detector; of parts of different types only the type.

    Args:
        recipe: the pipeline of a recipe, as it was built.
        model: the pipeline of a model.
    """
    own, other = (spec.model_dump(mode="json", exclude={"detector"}) for spec in (recipe, model))
    return list(differing("pipeline", own, other))


def as_options(settings: Iterable[Difference]) -> str:
    """Return the options of `headmotion train` that give the recipe the model's values."""
    values = ((s.field, s.model if isinstance(s.model, str) else json.dumps(s.model)) for s in settings)
    return " ".join(f"--set {shlex.quote(f'{field}={value}')}" for field, value in values)


def as_text(settings: Iterable[Difference]) -> str:
    """Return the differences as words, such as ``pipeline.fps is 30 (25 in the model)``."""
    return ", ".join(f"{s.field} is {shorten_json(s.recipe)} ({shorten_json(s.model)} in the model)" for s in settings)


def differing(path: str, own: Any, other: Any) -> Iterator[Difference]:
    """Yield the settings in which two JSON values differ, down to single fields; of different types only the type.

    Args:
        path: of both values; empty for the outermost.
        own: as the recipe has it.
        other: what it is compared with.
    """
    if not (isinstance(own, dict) and isinstance(other, dict)):
        if own != other:
            yield Difference(path, own, other)
    elif own.get("type") != other.get("type"):
        yield Difference(f"{path}.type", own.get("type"), other.get("type"))
    else:
        for name in own:
            if name not in PLACES:
                yield from differing(f"{path}.{name}".lstrip("."), own[name], other.get(name))


def shorten_json(value: Any) -> str:
    """Return a JSON value as text that is short enough for an error."""
    return shorten(value if isinstance(value, str) else json.dumps(value), MAX_TEXT)
