"""The trainer: builds what a recipe names and runs its phases."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..core.errors import TrainingError
from .av_offset_check import offset_warnings
from .build import Assembly, assemble
from .distributed import joined
from .event_log import observing
from .events import Ended, Event, Observer, Stepped, Warned
from .phases import Phase
from .recipe import RecipeSpec, load_recipe
from .run_directory import Run
from .syncers_file import load_syncers, save_syncers


def train(
    recipe: str | os.PathLike[str] | RecipeSpec,
    data: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    device: str = "auto",
    overrides: Sequence[str] = (),
    resume: bool = False,
    quiet: bool = False,
    syncers: str | os.PathLike[str] | None = None,
) -> Path:
    """Train a recipe on corpora; the model appears at ``output/model.safetensors``, and its path is returned.

    A recipe whose generator takes no steps makes syncers only, and their path is returned.

    The folder also keeps ``syncers.safetensors``, the figures of every step (``log.jsonl``) and the training state,
    from which ``resume`` continues exactly: on a CPU, bit for bit. Started by torchrun, the processes share each batch.

    Args:
        recipe: a bundled name, a YAML file, or a `RecipeSpec`.
        data: corpus folders; their training splits are joined.
        output: the run's folder.
        overrides: ``a.b=value`` changes of the recipe.
        syncers: ``syncers.safetensors`` of another run, instead of training them; several runs can so share a judge.

    Raises:
        SpecError, CorpusError: the recipe or the data do not fit.
        CheckpointError: the file of syncers is damaged.
        TrainingError: a folder that holds another run, syncers of another recipe, or a step that is not finite (the
            last good state is kept).
    """
    spec = recipe if isinstance(recipe, RecipeSpec) else load_recipe(recipe, overrides)
    with joined(device) as processes:
        # Both phases are built before the folder is made: a recipe or data that do not fit leave nothing behind.
        parts = assemble(spec, data, processes)
        run = Run(Path(output), spec, resume, processes)
        with observing(run, parts.pipeline, parts.everything) if processes.first else nullcontext(_nobody) as tell:
            path = _train_syncers(parts, run, tell, quiet, syncers)
            if spec.generator.steps:
                path = _train_generator(parts, run, tell, quiet)
            tell(Ended(path))
    return path


def _train_syncers(
    parts: Assembly, run: Run, tell: Observer, quiet: bool, given: str | os.PathLike[str] | None
) -> Path:
    """The first phase, or its result where it is given or the run is past it."""
    phase, path = parts.contrastive, run.folder / "syncers.safetensors"
    if given and run.phase == phase.name:
        raise TrainingError("run", "no syncers while its own are in training", os.fspath(given), "use a new folder")
    # A run that is past the phase keeps its judge, whatever is given now.
    past = run.phase not in ("", phase.name)
    source = path if past else given
    if source is not None:
        if run.processes.first:
            load_syncers(Path(source), parts.recipe, parts.syncers)
            if not past:
                save_syncers(path, parts.recipe, parts.syncers)
        run.processes.align(parts.syncers)
        return path
    _run_phase(phase, run, tell, quiet)
    if run.processes.first:
        save_syncers(path, parts.recipe, parts.syncers, _card(parts, run))
        for text in offset_warnings(parts.syncers, parts.pipeline, parts.corpus):
            tell(Warned(phase, phase.steps, text))
    return path


def _train_generator(parts: Assembly, run: Run, tell: Observer, quiet: bool) -> Path:
    """The second phase, judged by the syncers as they are by now."""
    parts.judge()
    _run_phase(parts.adversarial, run, tell, quiet)
    parts.pipeline.generator = parts.adversarial.result
    path = run.folder / "model.safetensors"
    if run.processes.first:
        parts.pipeline.to(torch.float32).save(path, step=parts.recipe.generator.steps, card=_card(parts, run))
    return path


def _run_phase(phase: Phase, run: Run, tell: Observer, quiet: bool) -> None:
    first = 0
    if run.phase == phase.name:
        run.restore(phase)
        first = run.step
    for module in phase.modules.values():
        run.processes.align(module)
    for number in _progress(phase, first, quiet or not run.processes.first):
        # Whatever a step draws depends on its number alone, so a resumed run draws the same.
        torch.manual_seed(run.recipe.seed * 1_000_003 + number)
        values = phase.step(number)
        tell(Stepped(phase, number, values))
        if (number + 1) % run.recipe.save_every == 0:
            run.save(phase, number + 1)
    run.save(phase, max(phase.steps, first))


def _nobody(event: Event) -> None:
    """Observes in all processes but the first."""


def _progress(phase: Phase, first: int, quiet: bool) -> Iterable[int]:
    columns = (TextColumn(phase.name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=quiet) as bar:
        yield from bar.track(range(first, phase.steps), total=phase.steps, completed=first)


def _card(parts: Assembly, run: Run) -> dict[str, Any]:
    """What the model was trained on, as facts."""
    spec, corpus = parts.recipe, parts.corpus
    return {
        "name": spec.name,
        "clips": len(corpus),
        "speakers": len({entry.speaker for entry in corpus.entries}),
        "hours": round(corpus.seconds / 3600, 3),
        "sources": sorted({entry.source or entry.folder.name for entry in corpus.entries}),
        "training_seconds": round(run.seconds),
        "commit": _commit(),
        "recipe": spec.model_dump(mode="json"),
    }


def _commit() -> str:
    """The commit of the code where it is a checkout, else nothing."""
    command = ["git", "-C", os.fspath(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
