"""First phase: the pyramid of syncers learns which audio belongs to which motion."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from ..core.errors import SpecError
from ..losses.sync import top1
from ..sync.syncer_pyramid import SyncerPyramid, project
from .batch_norm import WholeBatchNorm
from .batch_partition import from_one_start
from .batches import Batch, Batches
from .phases import Stepper
from .recipe import SyncersPhase


class ContrastivePhase:
    """Each level on its own: groups of windows, several from each clip, are told apart by the recipe's objective."""

    name = "syncers"

    def __init__(self, spec: SyncersPhase, syncers: SyncerPyramid, batches: Batches) -> None:
        self.spec, self.steps, self.syncers, self.batches = spec, spec.steps, syncers, batches
        self.division = batches.division
        needed = syncers.window * syncers.pyramid.stride ** (syncers.pyramid.levels - 1)
        if batches.frames < needed:
            raise SpecError(
                "syncers phase", f"at least {needed} frames for one window of the coarsest level", str(batches.frames)
            )
        self.division.check(self.name, batches.size, self._clips_of_whole_groups(), "whole groups of windows in each")
        self.modules: dict[str, nn.Module] = {"syncers": syncers}
        self.norm = WholeBatchNorm([syncers], self.division)
        stepper = Stepper("syncers", syncers.parameters(), spec.optimizer, spec.steps, self.division.processes)
        self.optimizers = {"syncers": stepper}

    def step(self, number: int) -> Mapping[str, float]:
        """One batch through all levels."""
        batch, stepper = self.batches(number), self.optimizers["syncers"]
        parts = batch.parts(self.division.grad_accumulation)
        self.syncers.train()
        self.norm.measure(lambda part: self.groups(part, number), parts)
        objective = self.spec.objective
        for part in from_one_start(parts, [self.syncers]):
            losses, figures = {}, {}
            for level, (motion, audio) in enumerate(self.groups(part, number)):
                losses[f"level{level}"] = objective.loss(audio, motion, number)
                figures[f"top1_{level}"] = top1(audio.detach(), motion.detach())
            stepper.accumulate(losses, 1 / len(parts), figures)
        return stepper.apply(number, batch.clips)

    def groups(self, batch: Batch, number: int) -> list[tuple[Tensor, Tensor]]:
        """Embeddings ``[groups, N, E]`` of aligned random windows of motion and audio at each level."""
        chance = np.random.default_rng([7, number])
        pyramid, width, steps = self.syncers.pyramid, self.syncers.window, self.syncers.steps_per_frame
        result = []
        levels = zip(self.syncers.levels, pyramid.pair(batch.motion, batch.audio, steps), strict=True)
        for syncer, (m, a) in levels:
            # Drawn for the clips of all processes, so that each clip has the same windows whoever computes it.
            every = apart(chance, self.batches.size, m.shape[1], width, self.spec.windows_per_clip)
            starts = every[batch.samples.start : batch.samples.stop]
            frame = torch.from_numpy(starts[..., None] + np.arange(width)).to(m.device)
            step = torch.from_numpy(steps * starts[..., None] + np.arange(steps * width)).to(m.device)
            clip = torch.arange(len(m), device=m.device)[:, None, None]
            with self.division.autocast(m.device):
                seen = syncer.embed_motion(m[clip, frame].flatten(0, 1))
                heard = syncer.embed_audio(a[clip, step].flatten(0, 1))
            result.append((self._grouped(seen.to(m.dtype)), self._grouped(heard.to(m.dtype))))
        return result

    def _grouped(self, embeddings: Tensor) -> Tensor:
        """``[n, E]`` to ``[groups, N, E]`` in the objective's space; what does not fill a group is left out."""
        size = min(self.spec.group_size, len(embeddings))
        whole = len(embeddings) // size
        return project(embeddings[: whole * size], self.spec.objective.space).reshape(whole, size, -1)

    def _clips_of_whole_groups(self) -> int:
        """The fewest clips whose windows fill whole groups at every level."""
        frames, unit = self.batches.frames, 1
        for _ in range(self.syncers.pyramid.levels):
            windows = min(self.spec.windows_per_clip, frames // self.syncers.window)
            size = min(self.spec.group_size, self.batches.size * windows)
            unit = math.lcm(unit, size // math.gcd(size, windows))
            frames = -(-frames // self.syncers.pyramid.stride)
        return unit


def apart(
    chance: np.random.Generator, clips: int, frames: int, width: int, most: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Random first frames ``[clips, n]`` of up to ``most`` windows per clip that do not overlap.

    Windows that share frames could hardly be told apart, and as negatives would teach that they should be.
    """
    count = min(most, frames // width)
    spare = frames - count * width
    gaps = np.sort(chance.integers(0, spare + 1, size=(clips, count)), axis=1)
    return np.asarray(gaps + width * np.arange(count))
