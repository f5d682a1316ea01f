"""First phase: the pyramid of syncers learns which audio belongs to which motion."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from ..core.errors import SpecError
from ..losses.sync import top1
from ..sync.syncer_pyramid import SyncerPyramid, project
from .batch_norm import WholeBatchNorm
from .batch_partition import replay_state_per_part
from .batches import Batch, Batches
from .phases import Stepper
from .recipe import SyncersPhase


class ContrastivePhase:
    """Train the syncer of each level by the recipe's objective, on groups of windows, several from each clip.

    Raises:
        SpecError: clips too short for a window of the coarsest level, or a batch that cannot be divided.
    """

    name = "syncers"

    def __init__(self, spec: SyncersPhase, syncers: SyncerPyramid, batches: Batches) -> None:
        self.spec, self.steps, self.syncers, self.batches = spec, spec.steps, syncers, batches
        self.partition = batches.partition
        needed = syncers.window * syncers.pyramid.stride ** (syncers.pyramid.levels - 1)
        if batches.frames < needed:
            raise SpecError(
                "syncers phase", f"at least {needed} frames for one window of the coarsest level", str(batches.frames)
            )
        self.partition.check_divisible(
            self.name, batches.size, self._clips_per_whole_groups(), "whole groups of windows in each"
        )
        self.modules: dict[str, nn.Module] = {"syncers": syncers}
        self.norm = WholeBatchNorm([syncers], self.partition)
        stepper = Stepper("syncers", syncers.parameters(), spec.optimizer, spec.steps, self.partition.processes)
        self.optimizers = {"syncers": stepper}

    def step(self, number: int) -> Mapping[str, float]:
        """Update the syncers of all levels by one batch."""
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
                motion_embeddings = syncer.embed_motion(motion_windows)
                audio_embeddings = syncer.embed_audio(audio_windows)
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


def non_overlapping_windows(
    rng: np.random.Generator, clips: int, frames: int, width: int, max_count: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Draw windows of each clip that share no frame.

    Windows that overlap could hardly be told from each other, and as negatives would teach that they should be.

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
