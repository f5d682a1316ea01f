"""First phase: the pyramid of syncers learns which audio belongs to which motion."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.errors import SpecError
from ..core.syncer import SyncerPyramid
from ..losses.sync import contrastive_loss, top1
from .batches import Batches
from .phases import Stepper
from .recipe import SyncersPhase


class ContrastivePhase:
    """Each level on its own: groups of windows, several from each clip, are told apart. Source: MS-Sync, eq. 2."""

    name = "syncers"

    def __init__(self, spec: SyncersPhase, syncers: SyncerPyramid, batches: Batches) -> None:
        self.spec, self.steps, self.syncers, self.batches = spec, spec.steps, syncers, batches
        needed = syncers.window * syncers.pyramid.stride ** (syncers.pyramid.levels - 1)
        if batches.frames < needed:
            raise SpecError(
                "syncers phase", f"at least {needed} frames for one window of the coarsest level", str(batches.frames)
            )
        self.modules: dict[str, nn.Module] = {"syncers": syncers}
        self.optimizers = {"syncers": Stepper("syncers", syncers.parameters(), spec.optimizer, spec.steps)}

    def step(self, number: int) -> Mapping[str, float]:
        """One batch through all levels."""
        batch = self.batches(number)
        self.syncers.train()
        losses, figures = {}, {}
        for level, (motion, audio) in enumerate(self.groups(batch.motion, batch.audio, number)):
            losses[f"level{level}"] = contrastive_loss(audio, motion, self.spec.temperature, self.spec.margin)
            figures[f"top1_{level}"] = float(top1(audio.detach(), motion.detach()))
        norm = self.optimizers["syncers"].step(number, losses)
        return {name: float(term.detach()) for name, term in losses.items()} | figures | {"gradient": norm}

    def groups(self, motion: Tensor, audio: Tensor, number: int) -> list[tuple[Tensor, Tensor]]:
        """Embeddings ``[groups, N, E]`` of aligned random windows of motion and audio at each level."""
        chance = np.random.default_rng([7, number])
        pyramid, width, steps = self.syncers.pyramid, self.syncers.window, self.syncers.steps_per_frame
        result = []
        levels = zip(self.syncers.levels, pyramid.pair(motion, audio, steps), strict=True)
        for syncer, (m, a) in levels:
            starts = apart(chance, len(m), m.shape[1], width, self.spec.windows_per_clip)
            frame = torch.from_numpy(starts[..., None] + np.arange(width)).to(m.device)
            step = torch.from_numpy(steps * starts[..., None] + np.arange(steps * width)).to(m.device)
            clip = torch.arange(len(m), device=m.device)[:, None, None]
            seen = self._grouped(syncer.embed_motion(m[clip, frame].flatten(0, 1)))
            heard = self._grouped(syncer.embed_audio(a[clip, step].flatten(0, 1)))
            result.append((seen, heard))
        return result

    def _grouped(self, embeddings: Tensor) -> Tensor:
        """``[n, E]`` to unit-length ``[groups, N, E]``; what does not fill a group is left out."""
        size = min(self.spec.group_size, len(embeddings))
        whole = len(embeddings) // size
        return functional.normalize(embeddings[: whole * size], dim=-1).reshape(whole, size, -1)


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
