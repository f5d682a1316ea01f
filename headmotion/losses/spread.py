"""How far and how fast a body moves, whatever the way it goes."""

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

    Short lags hold the speed, long ones the spread. Displacements are compared along the directions in which the real
    ones vary most, so that a turn of the head counts beside a shift that moves points farther. Squares are averaged
    over the batch before they are compared: no clip is asked to move as its own real head did, which speech does not
    tell.
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
        self.weight, self.lags, self.directions = spec.weight, spec.lags, spec.directions

    @override
    def forward(self, data: LossInput) -> Mapping[str, Tensor]:
        last = data.reference[:, -1:]
        generated, real = (
            torch.cat([last, motion], dim=1)[:, :, self.points].flatten(2) for motion in (data.generated, data.real)
        )
        ratios = [
            self._ratio(generated[:, lag:] - generated[:, :-lag], real[:, lag:] - real[:, :-lag])
            for lag in self.lags
            if lag < generated.shape[1]
        ]
        # The root mean square minds the direction that is missed most.
        return {"spread": self.weight * torch.sqrt(torch.stack(ratios).square().mean() + 1e-8)} if ratios else {}

    def _ratio(self, generated: Tensor, real: Tensor) -> Tensor:
        """Logarithms of the ratio of root mean squares of displacements ``[B, T, F]``, by direction."""
        flat = real.detach().flatten(0, 1)
        values, vectors = torch.linalg.eigh(flat.mT @ flat / len(flat))
        expected, along = values[-self.directions :].clamp(min=0), vectors[:, -self.directions :]
        found = (generated @ along).square().mean(dim=(0, 1))
        return 0.5 * torch.log((found + STILL**2) / (expected + STILL**2))
