"""What a recipe names, built: the pipeline, the syncers and both phases, over opened corpora."""

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
from .batch_partition import Division
from .batches import Batches
from .contrastive_phase import ContrastivePhase
from .distributed import Processes
from .recipe import DataSpec, RecipeSpec


@dataclass(frozen=True)
class Assembly:
    """All parts of a training, with fresh weights that are the same in every process."""

    recipe: RecipeSpec
    everything: Corpus
    """All splits."""
    corpus: Corpus
    """What is trained on."""
    pipeline: Pipeline
    syncers: SyncerPyramid
    contrastive: ContrastivePhase
    adversarial: AdversarialPhase

    def judge(self) -> None:
        """Freeze the syncers and hand them to the losses that ask for them."""
        self.syncers.eval().requires_grad_(False)
        for loss in self.adversarial.losses:
            if isinstance(loss, UsesSyncers):
                loss.use_syncers(self.syncers)


def assemble(recipe: RecipeSpec, data: Sequence[str | os.PathLike[str]], processes: Processes) -> Assembly:
    """Build a recipe over corpora, whose training splits are joined.

    Raises:
        SpecError, CorpusError: the recipe or the data do not fit, or a batch cannot be divided so.
    """
    everything = open_corpora([os.fspath(each) for each in data])
    corpus = everything.select(split="train", distributable=True if recipe.data.distributable_only else None)
    division = Division(processes, recipe.grad_accumulation, recipe.precision)
    pipeline = build(recipe.pipeline, seed=recipe.seed, device=str(processes.device)).to(division.dtype)
    syncers = _syncers(recipe, pipeline).to(division.dtype)

    def batches(phase: int, spec: DataSpec, frames: int, steps: int) -> Batches:
        seed, context = recipe.seed * 10 + phase, pipeline.context()
        return Batches(corpus, spec, pipeline.audio_encoder, context, frames, seed, division, steps)

    own = {"batch_size": recipe.syncers.batch_size, "time_stretch": recipe.syncers.time_stretch}
    spec = recipe.data.model_copy(update={name: value for name, value in own.items() if value is not None})
    first = batches(1, spec, recipe.syncers.frames, recipe.syncers.steps)
    contrastive = ContrastivePhase(recipe.syncers, syncers, first)
    discriminator, losses = _judges(recipe, pipeline)
    frames = recipe.generator.frames + pipeline.generator.context_frames
    second = batches(2, recipe.data, frames, recipe.generator.steps)
    adversarial = AdversarialPhase(recipe.generator, pipeline.generator, discriminator, losses, second)
    return Assembly(recipe, everything, corpus, pipeline, syncers, contrastive, adversarial)


def _syncers(recipe: RecipeSpec, pipeline: Pipeline) -> SyncerPyramid:
    pyramid = Pyramid(recipe.pyramid.levels, recipe.pyramid.kernel, recipe.pyramid.stride)
    built: list[Syncer] = []
    with building("syncers"), torch.random.fork_rng(devices=[]):
        for level in range(pyramid.levels):
            torch.manual_seed(recipe.seed + 1 + level)
            built.append(recipe.syncer.build(pipeline.context()))
    return SyncerPyramid(built, pyramid, recipe.pipeline.steps_per_frame).to(pipeline.device)


def _judges(recipe: RecipeSpec, pipeline: Pipeline) -> tuple[Discriminator, list[Loss]]:
    context = pipeline.context()
    dtype = next((p.dtype for p in pipeline.generator.parameters()), torch.float32)
    with building("discriminator and losses"), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed + 100)
        discriminator = recipe.discriminator.build(context).to(pipeline.device, dtype)
        losses = [loss.build(context).to(pipeline.device, dtype) for loss in recipe.generator.losses]
    return discriminator, losses
