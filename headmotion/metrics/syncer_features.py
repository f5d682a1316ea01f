"""What trained syncers see in motion, as features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..core.interfaces.representation import Representation
from .syncer_model import Judge


class SeenBySyncers:
    """``level0`` ... ``[W_l, E]``: the embedding of every window of motion at every level that has one."""

    def __init__(self, representation: Representation, syncers: str) -> None:
        self.judge = Judge(syncers, representation)

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The syncers."""
        return {"features": "motion embeddings of syncers", **self.judge.protocol}

    def __call__(self, poses: Tensor) -> Mapping[str, Tensor]:
        """By level, the finest first."""
        levels = self.judge.trained.syncers.motion_embeddings(poses[None, ..., : self.judge.dims])
        return {f"level{level}": embedded[0] for level, embedded in enumerate(levels)}
