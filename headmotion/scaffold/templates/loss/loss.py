"""Acceleration: a loss that penalizes sudden movements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from headmotion import Loss, Sample

if TYPE_CHECKING:
    from .specs import AccelerationSpec


class Acceleration(Loss):
    """``weight * mean((x'' - y'')^2)`` of generated ``x`` and real ``y`` (unit frame per frame squared)."""

    def __init__(self, spec: AccelerationSpec) -> None:
        super().__init__(spec)
        self.weight = spec.weight

    def forward(self, real: Sample, generated: Sample, step: int) -> Mapping[str, Tensor]:
        """Return one scalar, ``acceleration``."""
        difference = generated.motion.diff(n=2, dim=1) - real.motion.diff(n=2, dim=1)
        return {"acceleration": self.weight * difference.square().mean()}
