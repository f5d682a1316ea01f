"""Build what a recipe names, over opened corpora: the pipeline and all phases."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from ..core.errors import CorpusError, PluginError, SpecError
from ..core.interfaces.phase import Phase, SupportsResultFile
from ..core.interfaces.specs import PhaseSpec
from ..core.short_repr import short_repr
from ..core.spec import building
from ..data.corpus import Corpus, open_corpora
from ..data.memory_index import MemoryIndex
from ..pipeline.loading import build
from ..pipeline.pipeline import Pipeline
from .batch_partition import BatchPartition
from .context import PIPELINE_PARTS, TrainContext
from .distributed import Processes
from .gradient_coverage import untrained_parts
from .recipe import RecipeSpec
from .starting_model import StartingModel, start_from


@dataclass(frozen=True)
class Training:
    """All parts of a training, with initial weights that are the same in every process."""

    recipe: RecipeSpec
    """What was built."""
    all_clips: Corpus
    """All splits."""
    corpus: Corpus
    """The clips that are trained on."""
    pipeline: Pipeline
    """The pipeline whose parts are trained."""
    phases: tuple[Phase, ...]
    """The phases that take steps, in order."""
    warnings: Mapping[str, tuple[str, ...]]
    """What is known to be odd before the first step of a phase, one line each, by the phase's name."""
    start: StartingModel | None = None
    """The model whose weights it begins with."""

    def phase(self, name: str) -> Phase:
        """Return the phase of a name."""
        return next(phase for phase in self.phases if phase.name == name)

    @property
    def makes_model(self) -> bool:
        """Whether a phase trains a part of the pipeline."""
        return any(name in PIPELINE_PARTS for phase in self.phases for name in phase.result())

    def finish(self, phase: Phase) -> None:
        """Take over what a phase made: into the pipeline, or frozen for later phases."""
        for name, part in phase.result().items():
            if name in PIPELINE_PARTS:
                own = getattr(self.pipeline, name)
                if part is not own:
                    own.load_state_dict(part.state_dict())
                # Later phases work with it as it is: without dropout, and without new statistics of a batch norm.
                own.eval()
            elif isinstance(part, nn.Module):
                part.eval().requires_grad_(False)


def build_training(
    recipe: RecipeSpec,
    data: Sequence[str | os.PathLike[str]],
    processes: Processes | None = None,
    given: Collection[str] = (),
    start: str | os.PathLike[str] | None = None,
) -> Training:
    """Build a recipe over corpora, whose training splits are joined.

    Args:
        recipe: what to build.
        data: corpus folders.
        processes: those that share each batch; None is this process alone, on the CPU.
        given: names of parts that files give, so that the phase which makes one needs no steps.
        start: model whose weights the parts of the pipeline get; None draws all weights anew.

    Raises:
        SpecError, CorpusError: the recipe or the data do not fit, a batch cannot be divided, or a phase makes a part
            that is not used.
        CheckpointError, TrainingError: there is no such model, or its weights do not fit the recipe.
        PluginError: a plugin's phase is none.
    """
    processes = processes or Processes()
    all_clips = open_corpora([os.fspath(folder) for folder in data])
    corpus = _training_clips(all_clips, recipe.data.distributable_only)
    _read_pairs(corpus)
    partition = BatchPartition(processes, recipe.grad_accumulation, recipe.precision)
    pipeline = build(recipe.pipeline, seed=recipe.seed, device=str(processes.device)).to(partition.dtype)
    model = None if start is None else start_from(start, pipeline, processes)
    if model is not None:
        model, recipe = model.without_fits(recipe)
    phases, unused, notes = _build_phases(recipe, corpus, pipeline, partition, given)
    texts = _unused_warnings(phases, unused)
    new = {} if model is None else {phase.name: model.new_weights(phase, pipeline) for phase in phases}
    notes[phases[-1].name] += untrained_parts(pipeline, phases, () if model is None else model.parts)
    warnings = {
        phase.name: tuple(filter(None, (texts.get(phase.name), new.get(phase.name), *notes[phase.name])))
        for phase in phases
    }
    return Training(recipe, all_clips, corpus, pipeline, tuple(phases), warnings, model)


def _build_phases(
    recipe: RecipeSpec, corpus: Corpus, pipeline: Pipeline, partition: BatchPartition, given: Collection[str]
) -> tuple[list[Phase], dict[str, Phase], dict[str, list[str]]]:
    """Build phases one after another, each with the parts that earlier ones make.

    Returns:
        The phases, those of which no later one uses the result, by its name, and the notes on the clips of each.
    """
    parts: dict[str, Any] = {}
    makers: dict[str, Phase] = {}
    used: set[str] = set()
    phases: list[Phase] = []
    left_out: dict[str, str] = {}
    notes: dict[str, list[str]] = {}
    for number, (name, spec) in enumerate(recipe.phases.items(), start=1):
        if not spec.steps and (made := str(getattr(spec, "result", name))) not in given:
            left_out[made] = name
            continue
        settings = recipe.data, partition, recipe.seed
        context = TrainContext(name, number, pipeline, corpus, *settings, dict(parts), used, dict(left_out))
        with building(f"{name} phase"):
            phase = spec.build(context)
        _check_phase(phase, spec.type_name(), name)
        phases.append(phase)
        notes[name] = context.notes
        for result, part in phase.result().items():
            if result in PIPELINE_PARTS:
                continue
            if result in parts and part is not parts[result]:
                raise _name_taken(result, name, spec, makers[result])
            parts[result], makers[result] = part, phase
    if not any(phase.steps for phase in phases):
        raise SpecError("recipe", "a phase with steps", "none", "set the steps of a phase above 0")
    unused = {result: phase for result, phase in makers.items() if result not in used}
    _refuse_lost(unused)
    return phases, unused, notes


def _name_taken(result: str, name: str, spec: PhaseSpec, maker: Phase) -> SpecError:
    """Return the error for a phase whose result has the name of another phase's."""
    field = next((field for field, value in spec if value == result), None)
    remedy = f"set {field!r} of one of them" if field else f"{spec.type_name()} has no field for the name"
    expected = f"a name for its result other than that of phase {maker.name}"
    return SpecError(f"{name} phase", expected, repr(result), remedy)


def _training_clips(clips: Corpus, distributable_only: bool) -> Corpus:
    """Return the clips that are trained on.

    Raises:
        CorpusError: there are none.
    """
    found = clips.select(split="train")
    if not len(found):
        got, remedy = f"none among {len(clips)} clips", "headmotion prepare --val 0 puts all speakers into it"
        raise CorpusError("corpus", "clips in the split 'train'", got, remedy)
    if not distributable_only:
        return found
    given = found.select(distributable=True)
    if not len(given):
        expected = "clips whose weights may be given away, as data.distributable_only asks"
        remedy = "for a model of your own use --set data.distributable_only=false"
        raise CorpusError("corpus", expected, f"none among {len(found)} clips", remedy)
    return given


def _read_pairs(corpus: Corpus) -> None:
    """Read the clips of folders of pairs, which stay in memory: damage is found before a run's folder is made."""
    first = 0
    for section in corpus.sections:
        if isinstance(section.index, MemoryIndex):
            for index in range(first, first + len(section)):
                _ = corpus[index]
        first += len(section)


def _check_phase(phase: object, type_name: str, name: str) -> None:
    """Refuse what a plugin built in place of a phase."""
    if not isinstance(phase, Phase):
        raise PluginError(f"phase {type_name}", "a headmotion Phase from build", f"a {type(phase).__name__}")
    phase_name = getattr(phase, "name", None)
    if phase_name != name:
        raise PluginError(f"phase {type_name}", f"the name of its context, {name!r}", repr(phase_name))
    results = phase.result()
    if not isinstance(results, Mapping) or not all(isinstance(key, str) for key in results):
        raise PluginError(f"phase {type_name}", "parts by name from result()", short_repr(results))


def _unused_warnings(phases: Sequence[Phase], unused: Mapping[str, Phase]) -> dict[str, str]:
    """Return a warning of each phase that changes nothing in the model, by name; only files keep their results."""
    # Where no model is made, the file is what the recipe is for.
    if not any(name in PIPELINE_PARTS for phase in phases for name in phase.result()):
        return {}
    effect = "so that this phase has no effect on the model; only a file keeps it"
    return {phase.name: f"no later phase uses {result!r}, {effect}" for result, phase in unused.items()}


def _refuse_lost(unused: Mapping[str, Phase]) -> None:
    """Refuse a phase whose result would be lost: no phase uses it, and no file keeps it."""
    for result, phase in unused.items():
        if not isinstance(phase, SupportsResultFile):
            remedy = "use it by name in a later phase, or remove the phase"
            raise SpecError(f"{phase.name} phase", "a result that a later phase uses", f"{result!r}, unused", remedy)
