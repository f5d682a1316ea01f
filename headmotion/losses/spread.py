"""How far and how fast a body moves, whatever the way it goes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from typing_extensions import override

from ..core.interfaces.loss import Loss, LossInput
from ..core.interfaces.specs import BuildContext
from .groups import ALL, points_of
from .specs import SpreadLossSpec

STILL = 5e-4
"""Unit-frame sides; less motion than this is noise of the detector and not asked for."""


class SpreadLoss(Loss):
    """Compares the covariances of displacements (a variogram) of generated and real motion over several lags.

    Short lags hold the speed, long ones the spread. Covariances are compared in the directions in which real motion
    varies most, by the logarithms of their ratio in every direction (the affine-invariant distance of Pennec, Fillard,
    Ayache 2006), so that a turn of the head counts beside a shift that moves points farther. They are those of the
    whole batch: no clip is asked to move as its own real head did, which speech does not tell.
    """

    def __init__(self, spec: SpreadLossSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.points = sorted(set(points_of("spread loss", context.representation, spec.groups or (ALL,))))
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
        return {"spread": self.weight * torch.sqrt(torch.cat(ratios).square().mean() + 1e-8)} if ratios else {}

    def _ratio(self, generated: Tensor, real: Tensor) -> Tensor:
        """Logarithms of the ratio of root mean squares of displacements ``[B, T, F]``, by direction."""
        values, vectors = torch.linalg.eigh(_covariance(real.detach()))
        main = vectors[:, -self.directions :] * (values[-self.directions :].clamp(min=0) + STILL**2).rsqrt()
        noise = STILL**2 * main.mT @ main
        found: Tensor = main.mT @ _covariance(generated) @ main + noise
        if not torch.isfinite(found).all():
            return found.diagonal()  # for the trainer to name; eigenvalues of that would be an error
        ratios: Tensor = torch.linalg.eigvalsh(found)
        return 0.5 * ratios.clamp(min=1e-12).log()


def _covariance(displacements: Tensor) -> Tensor:
    """Mean outer product ``[F, F]`` of displacements ``[B, T, F]``."""
    flat = displacements.flatten(0, 1)
    return flat.mT @ flat / len(flat)
