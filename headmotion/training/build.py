"""Build what a recipe names, over opened corpora: the pipeline, the syncers and both phases."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..core.interfaces.discriminator import Discriminator
from ..core.interfaces.loss import Loss
from ..core.interfaces.syncer import Syncer
from ..core.spec import building
from ..data.corpus import Corpus, open_corpora
from ..pipeline.pipeline import Pipeline, build
from ..sync.pyramid import Pyramid
from ..sync.syncer_pyramid import SyncerPyramid, UsesSyncers
from .adversarial_phase import AdversarialPhase
from .batch_partition import BatchPartition
from .batches import Batches
from .contrastive_phase import ContrastivePhase
from .distributed import Processes
from .recipe import DataSpec, RecipeSpec


@dataclass(frozen=True)
class TrainingParts:
    """All parts of a training, with initial weights that are the same in every process."""

    recipe: RecipeSpec
    """What was built."""
    all_clips: Corpus
    """All splits."""
    corpus: Corpus
    """The clips that are trained on."""
    pipeline: Pipeline
    """The pipeline whose generator is trained."""
    syncers: SyncerPyramid
    """The syncers of all levels."""
    contrastive: ContrastivePhase
    """First phase."""
    adversarial: AdversarialPhase
    """Second phase."""

    def freeze_syncers(self) -> None:
        """Freeze the syncers and pass them to the losses that use them."""
        self.syncers.eval().requires_grad_(False)
        for loss in self.adversarial.losses:
            if isinstance(loss, UsesSyncers):
                loss.use_syncers(self.syncers)


def build_training(
    recipe: RecipeSpec, data: Sequence[str | os.PathLike[str]], processes: Processes | None = None
) -> TrainingParts:
    """Build a recipe over corpora, whose training splits are joined.

    Args:
        recipe: what to build.
        data: corpus folders.
        processes: those that share each batch; None is this process alone, on the CPU.

    Raises:
        SpecError, CorpusError: the recipe or the data do not fit, or a batch cannot be divided.
    """
    processes = processes or Processes()
    all_clips = open_corpora([os.fspath(folder) for folder in data])
    corpus = all_clips.select(split="train", distributable=True if recipe.data.distributable_only else None)
    partition = BatchPartition(processes, recipe.grad_accumulation, recipe.precision)
    pipeline = build(recipe.pipeline, seed=recipe.seed, device=str(processes.device)).to(partition.dtype)
    syncers = _build_syncers(recipe, pipeline).to(partition.dtype)

    def batches(phase: int, spec: DataSpec, frames: int, steps: int) -> Batches:
        seed, context = recipe.seed * 10 + phase, pipeline.context()
        return Batches(corpus, spec, pipeline.audio_encoder, context, frames, seed, partition, steps)

    own = {"batch_size": recipe.syncers.batch_size, "time_stretch": recipe.syncers.time_stretch}
    spec = recipe.data.model_copy(update={name: value for name, value in own.items() if value is not None})
    contrastive_batches = batches(1, spec, recipe.syncers.frames, recipe.syncers.steps)
    contrastive = ContrastivePhase(recipe.syncers, syncers, contrastive_batches)
    discriminator, losses = _build_adversaries(recipe, pipeline)
    frames = recipe.generator.frames + pipeline.generator.context_frames
    adversarial_batches = batches(2, recipe.data, frames, recipe.generator.steps)
    adversarial = AdversarialPhase(recipe.generator, pipeline.generator, discriminator, losses, adversarial_batches)
    return TrainingParts(recipe, all_clips, corpus, pipeline, syncers, contrastive, adversarial)


def _build_syncers(recipe: RecipeSpec, pipeline: Pipeline) -> SyncerPyramid:
    pyramid = Pyramid(recipe.pyramid.levels, recipe.pyramid.kernel, recipe.pyramid.stride)
    syncers: list[Syncer] = []
    with building("syncers"), torch.random.fork_rng(devices=[]):
        for level in range(pyramid.levels):
            # A seed per level, so that a level has the same weights however many there are.
            torch.manual_seed(recipe.seed + 1 + level)
            syncers.append(recipe.syncer.build(pipeline.context()))
    return SyncerPyramid(syncers, pyramid, recipe.pipeline.steps_per_frame).to(pipeline.device)


def _build_adversaries(recipe: RecipeSpec, pipeline: Pipeline) -> tuple[Discriminator, list[Loss]]:
    context = pipeline.context()
    dtype = next((p.dtype for p in pipeline.generator.parameters()), torch.float32)
    with building("discriminator and losses"), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed + 100)
        discriminator = recipe.discriminator.build(context).to(pipeline.device, dtype)
        losses = [loss.build(context).to(pipeline.device, dtype) for loss in recipe.generator.losses]
    return discriminator, losses
