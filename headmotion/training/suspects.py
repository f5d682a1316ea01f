"""Whom to ask when a training is no longer finite: NaN has no traceback, so the parts of plugins are named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .recipe import RecipeSpec
from .stepper import NotFiniteError


@contextmanager
def naming_suspects(recipe: RecipeSpec) -> Iterator[None]:
    """Add the parts of plugins that a recipe has to the error of a step that is not finite.

    Raises:
        NotFiniteError: the body did.
    """
    try:
        yield
    except NotFiniteError as error:
        names = sorted(set(_plugin_types(recipe.model_dump(mode="json"))))
        if not names:
            raise
        remedy = f"look at the plugins' parts {', '.join(names)}, or {error.remedy}"
        raise NotFiniteError(error.component, error.expected, error.got, remedy) from None


def _plugin_types(value: Any) -> Iterator[str]:
    """Yield every type with a namespace inside JSON values."""
    if isinstance(value, dict):
        name = value.get("type")
        if isinstance(name, str) and "/" in name:
            yield name
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _plugin_types(item)
