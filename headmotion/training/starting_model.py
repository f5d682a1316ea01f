"""The model that a training starts from: its weights become those of the recipe's parts, in all processes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import Tensor

from ..core.checkpoint import load_checkpoint
from ..core.component import Component
from ..core.errors import TrainingError
from ..core.interfaces.phase import Phase
from ..pipeline.loading import model_path, model_spec
from ..pipeline.pipeline import PARTS, Pipeline
from .batch_norm import keep_statistics
from .distributed import Processes
from .gradient_coverage import labeled_parts
from .lineage import lineage_of
from .recipe import RecipeSpec
from .spec_differences import Difference, as_options, as_text, differences
from .specs import FitPhaseSpec

MAX_OPTIONS = 4
"""Settings that an error names at most; where there are more, it leads to the model's spec."""


@dataclass(frozen=True)
class StartingModel:
    """What a training has taken from a model."""

    name: str
    """Name of a bundled model, or the one in its card."""
    sha256: str
    """Digest of its tensors."""
    parts: tuple[str, ...]
    """Parts of the pipeline whose weights are the model's."""
    notes: tuple[str, ...]
    """What differs between the model and the recipe, one line each."""
    lineage: tuple[Mapping[str, Any], ...]
    """The model and those that it was made from itself, the nearest first; see `lineage_of`."""

    def __str__(self) -> str:
        return f"{self.name} (sha256 {self.sha256[:16]}...)"

    @property
    def identity(self) -> dict[str, str]:
        """What a resumed run must have in common with the run, as JSON values."""
        return {"name": self.name, "sha256": self.sha256}

    def without_fits(self, recipe: RecipeSpec) -> tuple[StartingModel, RecipeSpec]:
        """Leave out phases that would fit what the model holds: its weights are made for that basis.

        Returns:
            This model with a note for each, and the recipe in which they have no steps.
        """
        fits = {
            name: phase
            for name, phase in recipe.phases.items()
            if isinstance(phase, FitPhaseSpec) and phase.steps and phase.fits in self.parts
        }
        left_out = {name: phase.model_copy(update={"steps": 0}) for name, phase in fits.items()}
        notes = [
            f"the phase {name} is left out, because the {phase.fits} of {self.name} is fitted and its weights need that"
            for name, phase in fits.items()
        ]
        changed = recipe.model_copy(update={"phases": {**recipe.phases, **left_out}})
        return replace(self, notes=(*self.notes, *notes)), changed

    def new_weights(self, phase: Phase, pipeline: Pipeline) -> str:
        """Return a note on what a phase trains that no part of a pipeline has, such as discriminators; or nothing."""
        known = {id(parameter) for parameter in pipeline.parameters()}
        trained = {id(parameter) for optimizer in phase.optimizers.values() for parameter in optimizer.parameters}
        labels = [label for label, part in labeled_parts(phase) if {id(p) for p in part.parameters()} & trained - known]
        return f"begins with new weights, which {self.name} does not have: {', '.join(labels)}" if labels else ""


def start_from(source: str | os.PathLike[str], pipeline: Pipeline, processes: Processes) -> StartingModel:
    """Give the parts of a recipe's pipeline the weights of a model; only the first process reads the file.

    Statistics of batch norms come with them, and stay as they are: see `keep_statistics`.

    Args:
        source: a bundled name or a ``.safetensors`` file.
        pipeline: of the recipe, with new weights.
        processes: those that train together.

    Raises:
        CheckpointError: there is no such model, or it is damaged or needs another plugin.
        TrainingError: weights of another shape than those of the recipe's part, or none for any part.
    """
    content = processes.read_on_first(lambda: json.dumps(asdict(_take_weights(source, pipeline))).encode())
    processes.broadcast_module(pipeline)
    values = json.loads(content)
    lists = (tuple(values[name]) for name in ("parts", "notes", "lineage"))
    start = StartingModel(values["name"], values["sha256"], *lists)
    for name in start.parts:
        keep_statistics(getattr(pipeline, name))
    return start


def _take_weights(source: str | os.PathLike[str], pipeline: Pipeline) -> StartingModel:
    path = model_path(source)
    header, tensors = load_checkpoint(path)
    lineage = lineage_of(source, path, header)
    name = lineage[0]["name"]
    differing = differences(pipeline.spec, model_spec(path, header))
    taken, notes = [], []
    for part in PARTS:
        module: Component = getattr(pipeline, part)
        stored = {key.removeprefix(f"{part}."): value for key, value in tensors.items() if key.startswith(f"{part}.")}
        if stored and module.state_dict():
            _require_fit(os.fspath(source), part, module, stored, differing)
            module.load_state_dict(stored)
            taken.append(part)
        elif stored:
            notes.append(f"the {part} of {name} is left out, because that of the recipe has no weights")
        elif any(True for _ in module.parameters()):
            notes.append(f"the {part} begins with new weights, which {name} does not have")
    if not taken:
        raise TrainingError(f"model {os.fspath(source)}", "weights for a part of the recipe", "none", "start from none")
    if shown := [setting for setting in differing if setting.part in taken or setting.part not in PARTS[2:]]:
        notes.append(f"the recipe is not that of {name}: {as_text(shown)}")
    return StartingModel(name, header.sha256, tuple(taken), tuple(notes), tuple(lineage))


def _require_fit(
    source: str, part: str, module: Component, stored: Mapping[str, Tensor], differing: Sequence[Difference]
) -> None:
    """Refuse weights that a part has no place for, or that it lacks, or that were trained beside parts of other types.

    Raises:
        TrainingError: there are some; the error names the first, and the settings that make the recipe fit.
    """
    # What a part works on comes from representation and audio encoder; of the others only its own settings matter.
    relevant = [setting for setting in differing if setting.part == part or setting.part not in PARTS[2:]]
    remedy = f"take the spec that `headmotion inspect {source}` shows as the pipeline of the recipe"
    if 0 < len(relevant) <= MAX_OPTIONS:
        remedy = f"make the recipe fit by {as_options(relevant)}, or {remedy}"
    if of_type := next((setting for setting in relevant if setting.field.endswith(".type")), None):
        expected = f"the {of_type.field} of the recipe, {of_type.recipe}"
        raise TrainingError(f"model {source}", expected, of_type.model, remedy)
    own, given = ({key: list(value.shape) for key, value in t.items()} for t in (module.state_dict(), stored))
    if unfit := [key for key in own | given if own.get(key) != given.get(key)]:
        name, more = unfit[0], f", and {len(unfit) - 1} more that differ" if unfit[1:] else ""
        recipe_type = module.spec.type_name()
        expected = f"the tensor {part}.{name} to be {own.get(name, 'absent')}, as in the recipe's {recipe_type}"
        raise TrainingError(f"model {source}", expected, f"{given.get(name, 'none')}{more}", remedy)
