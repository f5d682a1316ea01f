"""What can be wrong with a contrastive phase, by its values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..core.interfaces.phase import Problem
from ..sync.pyramid import Pyramid
from .objectives import InfoNCE
from .specs import ContrastivePhaseSpec

CHANCE_LOSS_RATIO = 0.97
"""Loss over the loss at chance. In good runs the slowest level is below 0.95 after 25 steps."""
CHANCE_TOP1_RATIO = 1.5
"""Top-1 over ``1 / N``. The running mean of chance itself stays below 1.2; a level that learns passes 2 first."""
HIGH_TEMPERATURE = 0.5
"""Cosines between -1 and 1 that are divided by more hardly move a softmax over many windows."""


@dataclass(frozen=True)
class SyncerChecks:
    """Tells syncers that learn from those at chance."""

    spec: ContrastivePhaseSpec
    """Of the phase."""
    batch_size: int
    """Clips per step."""
    window: int
    """Motion frames per window."""

    def problems(self, means: Mapping[str, float]) -> Iterator[Problem]:
        """Yield syncers that do not learn: their loss stays at that of chance."""
        spec = self.spec
        causes: tuple[str, ...] = (
            "sound and motion that are apart in time or were mixed up",
            "a wrong frame rate",
            "silent or constant sound",
            "too few clips or speakers",
        )
        if isinstance(spec.objective, InfoNCE) and spec.objective.temperature > HIGH_TEMPERATURE:
            slow = f"temperature {spec.objective.temperature:g} with optimizer.lr {spec.optimizer.lr:g}"
            causes += (f"{slow}, where 0.1 with 0.001 learns sooner",)
        for level in range(spec.pyramid.levels):
            count = self._group_size(level)
            chance = spec.objective.chance(count)
            loss, top1 = means.get(f"level{level}", 0.0), means.get(f"top1_{level}", 1.0)
            if loss > CHANCE_LOSS_RATIO * chance and top1 * count < CHANCE_TOP1_RATIO:
                yield Problem(
                    f"the syncer of level {level} does not learn",
                    f"loss {loss:.2f}, at chance {chance:.2f}; top-1 {100 * top1:.1f}%, at chance {100 / count:.1f}%",
                    causes,
                )

    def _group_size(self, level: int) -> int:
        """Return the windows among which a syncer chooses: coarse levels may have room for fewer per clip."""
        frames = Pyramid.of(self.spec.pyramid).length(self.spec.frames, level)
        windows = max(1, min(self.spec.windows_per_clip, frames // self.window))
        return min(self.spec.group_size, self.batch_size * windows)
