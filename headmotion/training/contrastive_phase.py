"""Contrastive phase: a pyramid of syncers learns which audio belongs to which motion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.phase import Phase, Problem
from ..core.interfaces.syncer import Syncer
from ..losses.sync import top1
from ..sync.pyramid import Pyramid
from ..sync.syncer_pyramid import SyncerPyramid, embed_pairs, project
from .av_offset_check import offset_warnings
from .batch_norm import WholeBatchNorm
from .batch_partition import replay_state_per_part
from .batches import Batch
from .context import TrainContext
from .specs import ContrastivePhaseSpec
from .stepper import Stepper
from .syncer_checks import SyncerChecks
from .syncers_file import restore_syncers, save_syncers


class ContrastivePhase(Phase):
    """Train the syncer of each level by the phase's objective, on groups of windows, several from each clip.

    Raises:
        SpecError: clips too short for a window of the coarsest level, or a batch that cannot be divided.
    """

    optimizers: dict[str, Stepper]

    def __init__(self, spec: ContrastivePhaseSpec, context: TrainContext) -> None:
        self.spec, self.context, self.steps, self.name = spec, context, spec.steps, context.name
        self.syncers = syncers = build_syncers(spec, context)
        self.batches = batches = context.batches(spec.frames, spec.steps, data=spec.data(context.data))
        self.partition, self.result_file = context.partition, f"{spec.result}.safetensors"
        needed = syncers.window * syncers.pyramid.stride ** (syncers.pyramid.levels - 1)
        if batches.frames < needed:
            expected = f"at least {needed} frames for one window of the coarsest level"
            raise SpecError(f"{self.name} phase", expected, str(batches.frames))
        self.partition.check_divisible(
            self.name, batches.size, self._clips_per_whole_groups(), "whole groups of windows in each"
        )
        self.modules: dict[str, nn.Module] = {"syncers": syncers}
        self.norm = WholeBatchNorm([syncers], self.partition)
        stepper = context.stepper("syncers", syncers.parameters(), spec.optimizer, spec.steps)
        self.optimizers = {"syncers": stepper}
        self.checks = SyncerChecks(spec, batches.size, syncers.window)

    @override
    def start(self) -> None:
        pass

    @override
    def result(self) -> Mapping[str, Any]:
        return {self.spec.result: self.syncers}

    def write_result(self, path: Path, card: Mapping[str, Any]) -> None:
        """Write the syncers, for `headmotion.sync.trained.load_syncers`."""
        save_syncers(path, self.context.pipeline.spec, self.spec, self.syncers, dict(card))

    def read_result(self, path: Path) -> None:
        """Take the weights of a file of syncers."""
        restore_syncers(path, self.context.pipeline.spec, self.spec, self.syncers)

    def problems(self, means: Mapping[str, float]) -> Iterable[Problem]:
        """Return syncers that do not learn."""
        return self.checks.problems(means)

    def final_warnings(self) -> Iterable[str]:
        """Return the clips whose sound and motion the trained syncers find apart."""
        return offset_warnings(self.syncers, self.context.pipeline, self.context.corpus)

    @override
    def step(self, number: int) -> Mapping[str, float]:
        batch, stepper = self.batches(number), self.optimizers["syncers"]
        parts = batch.parts(self.partition.grad_accumulation)
        self.syncers.train()
        self.norm.measure(lambda part: self.groups(part, number), parts)
        objective = self.spec.objective
        for part in replay_state_per_part(parts, [self.syncers]):
            losses, accuracies = {}, {}
            for level, (motion, audio) in enumerate(self.groups(part, number)):
                losses[f"level{level}"] = objective.loss(audio, motion, number)
                accuracies[f"top1_{level}"] = top1(audio.detach(), motion.detach())
            stepper.accumulate(losses, 1 / len(parts), accuracies)
        return stepper.apply(number, batch.clips)

    def groups(self, batch: Batch, number: int) -> list[tuple[Tensor, Tensor]]:
        """Return embeddings ``[groups, N, E]`` of aligned random windows of motion and audio, per level."""
        rng = np.random.default_rng([7, number])
        pyramid, width, steps = self.syncers.pyramid, self.syncers.window, self.syncers.steps_per_frame
        result = []
        levels = zip(self.syncers.levels, pyramid.pair(batch.motion, batch.audio, steps), strict=True)
        for syncer, (motion, audio) in levels:
            # Drawn for the clips of all processes, so that a clip has the same windows whichever process has it.
            all_starts = non_overlapping_windows(
                rng, self.batches.size, motion.shape[1], width, self.spec.windows_per_clip
            )
            starts = all_starts[batch.samples.start : batch.samples.stop]
            frame = torch.from_numpy(starts[..., None] + np.arange(width)).to(motion.device)
            step = torch.from_numpy(steps * starts[..., None] + np.arange(steps * width)).to(motion.device)
            clip = torch.arange(len(motion), device=motion.device)[:, None, None]
            motion_windows = rearrange(motion[clip, frame], "clips windows t p d -> (clips windows) t p d")
            audio_windows = rearrange(audio[clip, step], "clips windows a c -> (clips windows) a c")
            with self.partition.autocast(motion.device):
                motion_embeddings, audio_embeddings = embed_pairs(syncer, motion_windows, audio_windows)
            result.append(
                (self._grouped(motion_embeddings.to(motion.dtype)), self._grouped(audio_embeddings.to(motion.dtype)))
            )
        return result

    def _grouped(self, embeddings: Tensor) -> Tensor:
        """Return ``[n, E]`` as ``[groups, N, E]`` in the objective's space, without what does not fill a group."""
        size = min(self.spec.group_size, len(embeddings))
        count = len(embeddings) // size
        used = project(embeddings[: count * size], self.spec.objective.space)
        return rearrange(used, "(groups n) e -> groups n e", n=size)

    def _clips_per_whole_groups(self) -> int:
        """Return the fewest clips whose windows fill whole groups at every level."""
        frames, unit = self.batches.frames, 1
        for _ in range(self.syncers.pyramid.levels):
            windows = min(self.spec.windows_per_clip, frames // self.syncers.window)
            size = min(self.spec.group_size, self.batches.size * windows)
            unit = math.lcm(unit, size // math.gcd(size, windows))
            frames = -(-frames // self.syncers.pyramid.stride)
        return unit


def build_syncers(spec: ContrastivePhaseSpec, context: TrainContext) -> SyncerPyramid:
    """Build the syncers of all levels. A level has the same weights however many there are."""
    pyramid = Pyramid.of(spec.pyramid)
    built = [context.build([spec.syncer], offset=1 + level)[0] for level in range(pyramid.levels)]
    return SyncerPyramid(cast("list[Syncer]", built), pyramid, context.build_context.steps_per_frame)


def non_overlapping_windows(
    rng: np.random.Generator, clips: int, frames: int, width: int, max_count: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Draw windows of each clip that share no frame.

    Windows that overlap can hardly be distinguished, and as negatives would teach that they should be.

    Args:
        rng: source of randomness.
        clips: number of clips.
        frames: frames of each clip.
        width: frames of each window.
        max_count: windows per clip, fewer where they do not fit.

    Returns:
        First frames ``[clips, n]``, ascending.
    """
    count = min(max_count, frames // width)
    spare = frames - count * width
    gaps = np.sort(rng.integers(0, spare + 1, size=(clips, count)), axis=1)
    return np.asarray(gaps + width * np.arange(count))
