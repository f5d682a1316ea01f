"""Objectives of syncers: the loss over the windows of a group, and the space in which embeddings are then compared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field

from ..core.spec import Spec
from ..sync.specs import Space
from .schedules import Scheduled, expand_type_name, value_at

if TYPE_CHECKING:
    from torch import Tensor


class InfoNCE(Spec):
    """Cross-entropy over the cosines of a group of windows, for syncers that guide a generator.

    Source: MS-Sync, eq. 2.
    """

    space: ClassVar[Space] = "unit"

    type: Literal["info-nce"] = "info-nce"
    temperature: float = Field(0.1, gt=0, le=1000)
    """Divides the cosines; the paper has none (1.0)."""
    margin: Scheduled = 0.0
    """Subtracted from the cosine of the true pair; in the paper ``{start: 0.001, factor: 1.002}``."""

    def loss(self, audio: Tensor, motion: Tensor, step: int) -> Tensor:
        """Return the loss of unit-length embeddings ``[groups, N, E]``, at a step of the phase."""
        from ..losses.sync import contrastive_loss

        return contrastive_loss(audio, motion, self.temperature, value_at(self.margin, step))

    def chance(self, count: int) -> float:
        """Return the loss of syncers at chance, in groups of ``count`` windows."""
        return 2 * math.log(count)


class DistanceMargin(Spec):
    """SyncNet's loss over distances, one negative per window, for syncers that measure.

    Source: Chung and Zisserman 2016.
    """

    space: ClassVar[Space] = "free"

    type: Literal["distance-margin"] = "distance-margin"
    margin: Annotated[float, Field(gt=0, le=1e6)] = 10.0
    """Distance up to which windows that do not belong together are pushed apart; MS-Sync's 10."""

    def loss(self, audio: Tensor, motion: Tensor, step: int) -> Tensor:
        """Return the loss of embeddings ``[groups, N, E]``, the same at every step."""
        from ..losses.sync import margin_loss

        return margin_loss(audio, motion, self.margin)

    def chance(self, count: int) -> float:
        """Return the least loss of syncers that give all pairs one distance, which is half the margin."""
        return self.margin**2 / 4


Objective = Annotated[InfoNCE | DistanceMargin, Discriminator("type"), BeforeValidator(expand_type_name)]
"""``distance-margin`` or ``{type: info-nce, temperature: 0.1}``."""
