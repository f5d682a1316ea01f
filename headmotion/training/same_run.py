"""Whether a stored run is the one that is to be continued: its recipe, and the model that it started from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.errors import HeadmotionError, TrainingError
from .recipe import RecipeSpec
from .run_state import RunPosition
from .spec_differences import differing, shorten_json
from .starting_model import StartingModel

MAX_SHOWN = 4
"""Values that an error names."""


def require_same_run(path: Path, position: RunPosition, recipe: RecipeSpec, start: StartingModel | None) -> None:
    """Refuse to continue a run with what it did not begin with.

    Args:
        path: the file of the state.
        position: what is stored.
        recipe: that is given now.
        start: the model that is given now.

    Raises:
        TrainingError: another recipe, one that this version does not read, or another model.
    """
    before, now = _comparable(_stored_recipe(path, position)), _comparable(recipe)
    if changed := list(differing("", now, before)):
        shown = [f"{each.field} {shorten_json(each.recipe)} instead of {shorten_json(each.model)}" for each in changed]
        more = [f"and {len(shown) - MAX_SHOWN} more"] if len(shown) > MAX_SHOWN else []
        got = ", ".join(shown[:MAX_SHOWN] + more)
        raise TrainingError("run", "the recipe that the run began with", got, "use a new folder")
    stored, given = position.start, None if start is None else start.identity
    if (stored and stored["sha256"]) != (given and given["sha256"]):
        # Also weights that no phase trains are the model's, and a state holds only what is trained.
        expected = f"the model that the run began with, {_shown(stored)}"
        remedy = f"give {'it with --from' if stored else 'no --from'}, or use a new folder"
        raise TrainingError("run", expected, _shown(given), remedy)


def _shown(model: dict[str, str] | None) -> str:
    return f"{model['name']} (sha256 {model['sha256'][:16]}...)" if model else "none"


def _stored_recipe(path: Path, position: RunPosition) -> RecipeSpec:
    """Return the recipe that a run began with; fields that did not exist then have their defaults."""
    try:
        return RecipeSpec.model_validate(position.recipe)
    except HeadmotionError as error:
        got = f"{path}, in which {error.component} has {error.got} where {error.expected} is expected"
        raise TrainingError("run", "a recipe that this version reads", got, "train anew in another folder") from None


def _comparable(recipe: RecipeSpec) -> dict[str, Any]:
    """Return the fields that must not change within a run.

    How long it runs, how often it saves, where it computes and how it draws may change.
    """
    data: dict[str, Any] = recipe.model_dump(mode="json")
    for name in ("save_every", "preview_every", "grad_accumulation"):
        data.pop(name)
    data["data"].pop("workers")
    phases = data.pop("phases")
    data["the order of phases"] = list(phases)
    return data | {f"phases.{name}": _without_steps(phase) for name, phase in phases.items()}


def _without_steps(phase: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in phase.items() if name != "steps"}
