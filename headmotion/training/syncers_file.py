"""The file of trained syncers that a run writes, and that other runs may use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.checkpoint import load_checkpoint, save_checkpoint
from ..core.errors import TrainingError
from ..core.pipeline_spec import PipelineSpec
from ..sync.syncer_pyramid import SyncerPyramid
from .specs import ContrastivePhaseSpec

SYNCER_INPUT_KEYS = ("representation", "audio_encoder", "steps_per_frame", "fps")
"""Fields of a pipeline spec that decide what syncers get as input, and so whether they fit a recipe."""


def save_syncers(
    path: Path,
    pipeline: PipelineSpec,
    phase: ContrastivePhaseSpec,
    syncers: SyncerPyramid,
    card: dict[str, Any] | None = None,
) -> None:
    """Write weights and what they were built from, for `headmotion.sync.trained.load_syncers`.

    Args:
        path: the file.
        pipeline: gives what the syncers are applied to.
        phase: what the syncers were built from.
        syncers: the trained syncers.
        card: how they were trained.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in syncers.state_dict().items()}
    save_checkpoint(path, _spec(pipeline, phase), tensors, step=phase.steps, card=card)


def restore_syncers(path: Path, pipeline: PipelineSpec, phase: ContrastivePhaseSpec, syncers: SyncerPyramid) -> None:
    """Fill the syncers of a phase with the weights of a file.

    Raises:
        CheckpointError: no such file, or damaged.
        TrainingError: syncers of another recipe.
    """
    header, tensors = load_checkpoint(path)
    expected = _compared_fields(_spec(pipeline, phase))
    differing = [name for name, value in _compared_fields(dict(header.spec)).items() if value != expected[name]]
    if differing:
        got = f"{path}, which differs in {', '.join(differing)}"
        raise TrainingError("syncers", "those of the recipe", got, "train them anew in another folder")
    try:
        syncers.load_state_dict(tensors)
    except RuntimeError as error:
        got = f"{path}: {str(error).splitlines()[-1].strip()}"
        raise TrainingError("run", "the syncers of its recipe", got, "begin anew in another folder") from None


def _spec(pipeline: PipelineSpec, phase: ContrastivePhaseSpec) -> dict[str, Any]:
    return {
        "pipeline": pipeline.model_dump(mode="json"),
        "syncer": phase.syncer.model_dump(mode="json"),
        "pyramid": phase.pyramid.model_dump(mode="json"),
        "space": phase.objective.space,
    }


def _compared_fields(spec: dict[str, Any]) -> dict[str, Any]:
    pipeline = spec.get("pipeline", {})
    fields = {name: pipeline.get(name) for name in SYNCER_INPUT_KEYS}
    fields |= {"syncer": spec.get("syncer"), "pyramid": spec.get("pyramid")}
    return fields | {"space": spec.get("space", "unit")}
