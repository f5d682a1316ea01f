"""How far and how fast points move, whatever the way they go."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import SpecError
from ..core.loss import Loss, LossInput
from ..core.spec import BuildContext
from .specs import SpreadLossSpec

STILL = 5e-4
"""Unit-frame sides; less motion than this is noise of the detector and not asked for."""


class SpreadLoss(Loss):
    """Compares mean squared displacements (a variogram) of generated and real motion over several lags.

    Short lags hold the speed, long ones the spread. The squares are averaged over the batch before they are compared,
    so that no clip is asked to move as its own real head did, which speech does not tell.
    """

    def __init__(self, spec: SpreadLossSpec, context: BuildContext) -> None:
        super().__init__(spec)
        representation = context.representation
        for name in spec.groups:
            if name not in representation.groups:
                has = ", ".join(representation.groups) or "(none)"
                raise SpecError("spread loss", f"groups that {representation.name} has: {has}", repr(name))
        chosen = {point for name in spec.groups for point in representation.groups[name]}
        self.points = sorted(chosen) or list(range(representation.points))
        self.weight, self.lags = spec.weight, spec.lags

    @override
    def forward(self, data: LossInput) -> Mapping[str, Tensor]:
        last = data.reference[:, -1:]
        generated, real = (
            torch.cat([last, motion], dim=1)[:, :, self.points] for motion in (data.generated, data.real)
        )
        ratios = [
            self._displacement(generated, lag) - self._displacement(real, lag)
            for lag in self.lags
            if lag < generated.shape[1]
        ]
        return {"spread": self.weight * torch.stack(ratios).abs().mean()} if ratios else {}

    @staticmethod
    def _displacement(motion: Tensor, lag: int) -> Tensor:
        """Logarithm of the root mean square displacement of each coordinate, ``[P, D]``."""
        moved = (motion[:, lag:] - motion[:, :-lag]).square().mean(dim=(0, 1))
        return 0.5 * torch.log(moved + STILL**2)
