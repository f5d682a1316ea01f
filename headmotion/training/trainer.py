"""The trainer: builds what a recipe names and runs its phases."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..core.checkpoint import load_checkpoint, save_checkpoint
from ..core.discriminator import Discriminator
from ..core.errors import TrainingError
from ..core.loss import Loss, UsesSyncers
from ..core.plugins import registry
from ..core.pyramid import Pyramid
from ..core.spec import building
from ..core.syncer import Syncer, SyncerPyramid
from ..data.corpus import Corpus, open_corpora
from ..pipeline import Pipeline, build
from .adversarial_phase import AdversarialPhase
from .batches import Batches
from .contrastive_phase import ContrastivePhase
from .phases import Phase
from .recipe import RecipeSpec, load_recipe
from .run import Run


def train(
    recipe: str | os.PathLike[str] | RecipeSpec,
    data: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    device: str = "auto",
    overrides: Sequence[str] = (),
    resume: bool = False,
    quiet: bool = False,
) -> Path:
    """Train a recipe on corpora; the model appears at ``output/model.safetensors``.

    The folder also keeps ``syncers.safetensors``, the figures of every step (``log.jsonl``) and the training state,
    from which ``resume`` continues exactly: on a CPU, bit for bit.

    Args:
        recipe: a bundled name, a YAML file, or a `RecipeSpec`.
        data: corpus folders; their training splits are joined.
        output: the run's folder.
        overrides: ``a.b=value`` changes of the recipe.

    Raises:
        SpecError, CorpusError: the recipe or the data do not fit.
        TrainingError: a folder that holds another run, or a step that is not finite (the last good state is kept).
    """
    spec = recipe if isinstance(recipe, RecipeSpec) else load_recipe(recipe, overrides)
    corpus = open_corpora([os.fspath(each) for each in data])
    corpus = corpus.select(split="train", distributable=True if spec.data.distributable_only else None)
    pipeline = build(spec.pipeline, seed=spec.seed, device=device)
    syncers = _syncers(spec, pipeline)
    # Both phases are built before the folder is made: a recipe or data that do not fit leave nothing behind.
    contrastive = ContrastivePhase(spec.syncers, syncers, _batches(spec, pipeline, corpus, spec.syncers.frames, 1))
    adversarial = _adversarial(spec, pipeline, corpus)
    run = Run(Path(output), spec, resume)
    _notify("start", {"recipe": spec.name})
    if run.phase in ("", contrastive.name):
        _run_phase(contrastive, run, quiet)
        _save_syncers(run.folder / "syncers.safetensors", spec, syncers)
    else:
        _load_syncers(run.folder / "syncers.safetensors", syncers)
    _judge_by(syncers, adversarial)
    _run_phase(adversarial, run, quiet)
    pipeline.generator = adversarial.result
    card = _card(spec, corpus, run.seconds)
    path = pipeline.save(run.folder / "model.safetensors", step=spec.generator.steps, card=card)
    _notify("end", {"model": os.fspath(path)})
    return path


def _syncers(spec: RecipeSpec, pipeline: Pipeline) -> SyncerPyramid:
    pyramid = Pyramid(spec.pyramid.levels, spec.pyramid.kernel, spec.pyramid.stride)
    built: list[Syncer] = []
    with building("syncers"), torch.random.fork_rng(devices=[]):
        for level in range(pyramid.levels):
            torch.manual_seed(spec.seed + 1 + level)
            built.append(spec.syncer.build(pipeline.context()))
    return SyncerPyramid(built, pyramid, spec.pipeline.steps_per_frame).to(pipeline.device)


def _adversarial(spec: RecipeSpec, pipeline: Pipeline, corpus: Corpus) -> AdversarialPhase:
    context = pipeline.context()
    with building("discriminator and losses"), torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed + 100)
        discriminator = spec.discriminator.build(context).to(pipeline.device)
        losses = [loss.build(context).to(pipeline.device) for loss in spec.generator.losses]
    frames = spec.generator.frames + pipeline.generator.context_frames
    batches = _batches(spec, pipeline, corpus, frames, 2)
    assert isinstance(discriminator, Discriminator)
    kept = [loss for loss in losses if isinstance(loss, Loss)]
    return AdversarialPhase(spec.generator, pipeline.generator, discriminator, kept, batches)


def _judge_by(syncers: SyncerPyramid, phase: AdversarialPhase) -> None:
    """Hand the trained syncers to the losses that ask for them."""
    syncers.eval().requires_grad_(False)
    for loss in phase.losses:
        if isinstance(loss, UsesSyncers):
            loss.use_syncers(syncers)


def _batches(spec: RecipeSpec, pipeline: Pipeline, corpus: Corpus, frames: int, phase: int) -> Batches:
    seed = spec.seed * 10 + phase
    return Batches(corpus, spec.data, pipeline.audio_encoder, pipeline.context(), frames, seed)


def _run_phase(phase: Phase, run: Run, quiet: bool) -> None:
    first = 0
    if run.phase == phase.name:
        run.restore(phase)
        first = run.step
    for number in _progress(phase, first, quiet):
        # Whatever a step draws depends on its number alone, so a resumed run draws the same.
        torch.manual_seed(run.recipe.seed * 1_000_003 + number)
        values = phase.step(number)
        run.record(phase.name, number, values)
        _notify("step", {"phase": phase.name, "step": number} | dict(values))
        if (number + 1) % run.recipe.save_every == 0:
            run.save(phase, number + 1)
    run.save(phase, max(phase.steps, first))


def _progress(phase: Phase, first: int, quiet: bool) -> Iterable[int]:
    columns = (TextColumn(phase.name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=quiet) as bar:
        yield from bar.track(range(first, phase.steps), total=phase.steps, completed=first)


def _save_syncers(path: Path, spec: RecipeSpec, syncers: SyncerPyramid) -> None:
    described = {
        "pipeline": spec.pipeline.model_dump(mode="json"),
        "syncer": spec.syncer.model_dump(mode="json"),
        "pyramid": spec.pyramid.model_dump(mode="json"),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in syncers.state_dict().items()}
    save_checkpoint(path, described, tensors, step=spec.syncers.steps)


def _load_syncers(path: Path, syncers: SyncerPyramid) -> None:
    try:
        syncers.load_state_dict(load_checkpoint(path)[1])
    except RuntimeError as error:
        got = f"{path}: {str(error).splitlines()[-1].strip()[:120]}"
        raise TrainingError("run", "the syncers of its recipe", got, "begin anew in another folder") from None


def _card(spec: RecipeSpec, corpus: Corpus, seconds: float) -> dict[str, Any]:
    """What the model was trained on, as facts."""
    return {
        "name": spec.name,
        "clips": len(corpus),
        "speakers": len({entry.speaker for entry in corpus.entries}),
        "hours": round(corpus.seconds / 3600, 3),
        "sources": sorted({entry.source or entry.folder.name for entry in corpus.entries}),
        "training_seconds": round(seconds),
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


def _notify(event: str, values: Mapping[str, Any]) -> None:
    registry().manager.hook.headmotion_training_event(event=event, values=values)
