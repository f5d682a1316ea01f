"""The trainer: builds what a recipe names and runs its phases."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from ..core.errors import TrainingError
from ..core.progress import track
from .av_offset_check import offset_warnings
from .build import TrainingParts, build_training
from .distributed import join_processes
from .event_log import dispatching_events
from .events import Ended, Event, Observer, Stepped, Warned
from .phases import Phase
from .recipe import RecipeSpec, load_recipe
from .run_directory import RunDirectory
from .syncers_file import restore_syncers, save_syncers


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
    """Train a recipe on corpora and return the path of the model, ``output/model.safetensors``.

    A recipe whose generator takes no steps makes syncers only; then their path is returned.

    The folder also holds ``syncers.safetensors``, the values of every step (``log.jsonl``) and the training state,
    from which ``resume`` continues exactly: on a CPU, bit for bit. Started by torchrun, the processes share each batch.

    Args:
        recipe: a bundled name, a YAML file, or a `RecipeSpec`.
        data: corpus folders; their training splits are joined.
        output: the run's folder.
        device: ``cpu``, ``cuda`` or ``auto``.
        overrides: ``a.b=value`` changes of the recipe.
        resume: continue the run that the folder holds, if any.
        quiet: show no progress.
        syncers: ``syncers.safetensors`` of another run, used instead of training them; several runs can share them.

    Raises:
        SpecError, CorpusError: the recipe or the data do not fit.
        CheckpointError: the file of syncers is damaged.
        TrainingError: a folder that holds another run, syncers of another recipe, or a step that is not finite (the
            last good state is kept).
    """
    spec = recipe if isinstance(recipe, RecipeSpec) else load_recipe(recipe, overrides)
    with join_processes(device) as processes:
        # Both phases are built before the folder is made: a recipe or data that do not fit leave nothing behind.
        parts = build_training(spec, data, processes)
        run = RunDirectory(Path(output), spec, resume, processes)
        events = dispatching_events(run, parts.pipeline, parts.all_clips)
        with events if processes.first else nullcontext(_ignore_event) as notify:
            path = _train_syncers(parts, run, notify, quiet, syncers)
            if spec.generator.steps:
                path = _train_generator(parts, run, notify, quiet)
            notify(Ended(path))
    return path


def _train_syncers(
    parts: TrainingParts, run: RunDirectory, notify: Observer, quiet: bool, given: str | os.PathLike[str] | None
) -> Path:
    """Run the first phase, or read its result if it is given or the run is past it."""
    phase, path = parts.contrastive, run.folder / "syncers.safetensors"
    if given and run.phase == phase.name:
        raise TrainingError("run", "no syncers while its own are in training", os.fspath(given), "use a new folder")
    # A run that is past the phase keeps its syncers, whatever is given now.
    past = run.phase not in ("", phase.name)
    source = path if past else given
    if source is not None:
        if run.processes.first:
            restore_syncers(Path(source), parts.recipe, parts.syncers)
            if not past:
                save_syncers(path, parts.recipe, parts.syncers)
        run.processes.broadcast_module(parts.syncers)
        return path
    _run_phase(phase, run, notify, quiet)
    if run.processes.first:
        save_syncers(path, parts.recipe, parts.syncers, _card(parts, run))
        for text in offset_warnings(parts.syncers, parts.pipeline, parts.corpus):
            notify(Warned(phase, phase.steps, text))
    return path


def _train_generator(parts: TrainingParts, run: RunDirectory, notify: Observer, quiet: bool) -> Path:
    """Run the second phase, guided by the syncers as they are now."""
    parts.freeze_syncers()
    _run_phase(parts.adversarial, run, notify, quiet)
    parts.pipeline.generator = parts.adversarial.result
    path = run.folder / "model.safetensors"
    if run.processes.first:
        parts.pipeline.to(torch.float32).save(path, step=parts.recipe.generator.steps, card=_card(parts, run))
    return path


def _run_phase(phase: Phase, run: RunDirectory, notify: Observer, quiet: bool) -> None:
    first = 0
    if run.phase == phase.name:
        run.restore(phase)
        first = run.step
    for module in phase.modules.values():
        run.processes.broadcast_module(module)
    steps = range(first, phase.steps)
    quiet = quiet or not run.processes.first
    for number in track(steps, phase.name, phase.steps, start=first, quiet=quiet):
        # Whatever a step draws depends on its number alone, so a resumed run draws the same.
        torch.manual_seed(run.recipe.seed * 1_000_003 + number)
        values = phase.step(number)
        notify(Stepped(phase, number, values))
        if (number + 1) % run.recipe.save_every == 0:
            run.save(phase, number + 1)
    run.save(phase, max(phase.steps, first))


def _ignore_event(event: Event) -> None:
    """Receive the events of all processes but the first."""


def _card(parts: TrainingParts, run: RunDirectory) -> dict[str, Any]:
    """Return what the model was trained on."""
    spec, corpus = parts.recipe, parts.corpus
    return {
        "name": spec.name,
        "clips": len(corpus),
        "speakers": len(corpus.speakers),
        "hours": round(corpus.seconds / 3600, 3),
        "sources": sorted(corpus.sources),
        "training_seconds": round(run.seconds),
        "commit": _commit(),
        "recipe": spec.model_dump(mode="json"),
    }


def _commit() -> str:
    """Return the commit of the code if it is a checkout, or else an empty string."""
    command = ["git", "-C", os.fspath(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
