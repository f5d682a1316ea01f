"""The file of trained syncers that a run keeps, and that other runs may use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.checkpoint import load_checkpoint, save_checkpoint
from ..core.errors import TrainingError
from ..sync.syncer_pyramid import SyncerPyramid
from .recipe import RecipeSpec

HEARD_AND_SEEN = ("representation", "audio_encoder", "steps_per_frame", "fps")
"""What of a pipeline decides whether syncers fit it."""


def save_syncers(path: Path, recipe: RecipeSpec, syncers: SyncerPyramid, card: dict[str, Any] | None = None) -> None:
    """Write weights and what they were built from, for `headmotion.sync.trained.load_syncers`; a card says how."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in syncers.state_dict().items()}
    save_checkpoint(path, _described(recipe), tensors, step=recipe.syncers.steps, card=card)


def load_syncers(path: Path, recipe: RecipeSpec, syncers: SyncerPyramid) -> None:
    """Fill the syncers of a recipe.

    Raises:
        CheckpointError: no such file, or damaged.
        TrainingError: syncers of another recipe.
    """
    header, tensors = load_checkpoint(path)
    wanted = _judging(_described(recipe))
    differing = [name for name, value in _judging(dict(header.spec)).items() if value != wanted[name]]
    if differing:
        got = f"{path}, which differs in {', '.join(differing)}"
        raise TrainingError("syncers", "those of the recipe", got, "train them anew in another folder")
    try:
        syncers.load_state_dict(tensors)
    except RuntimeError as error:
        got = f"{path}: {str(error).splitlines()[-1].strip()[:120]}"
        raise TrainingError("run", "the syncers of its recipe", got, "begin anew in another folder") from None


def _described(recipe: RecipeSpec) -> dict[str, Any]:
    return {
        "pipeline": recipe.pipeline.model_dump(mode="json"),
        "syncer": recipe.syncer.model_dump(mode="json"),
        "pyramid": recipe.pyramid.model_dump(mode="json"),
        "space": recipe.syncers.objective.space,
    }


def _judging(described: dict[str, Any]) -> dict[str, Any]:
    pipeline = described.get("pipeline", {})
    parts = {name: pipeline.get(name) for name in HEARD_AND_SEEN}
    parts |= {"syncer": described.get("syncer"), "pyramid": described.get("pyramid")}
    return parts | {"space": described.get("space", "unit")}
