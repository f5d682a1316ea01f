"""How far and how fast a body moves, regardless of its path."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from einops import rearrange
from torch import Tensor
from typing_extensions import override

from ..core.interfaces.loss import Loss
from ..core.interfaces.sample import Sample
from ..core.interfaces.specs import BuildContext
from .reconstruction import ALL, points_of_groups
from .specs import SpreadLossSpec

NOISE = 5e-4
"""Standard deviation (unit frame) below which motion is noise of the detector, and not required."""


class SpreadLoss(Loss):
    """Compares the covariances of displacements (a variogram) of generated and real motion over several lags.

    Short lags measure the speed, long lags the spread. Covariances are compared in the directions in which real motion
    varies most, by the logarithms of their ratio in every direction (the affine-invariant distance of Pennec, Fillard,
    Ayache 2006), so that a turn of the head counts as much as a shift, which moves points farther. The covariances are
    those of the entire batch: no clip has to move as its own recorded head did, which speech does not determine.
    """

    def __init__(self, spec: SpreadLossSpec, context: BuildContext) -> None:
        super().__init__(spec)
        self.points = sorted(set(points_of_groups("spread loss", context.representation, spec.groups or (ALL,))))
        self.weight, self.lags, self.directions = spec.weight, spec.lags, spec.directions

    @override
    def forward(self, real: Sample, generated: Sample, step: int) -> Mapping[str, Tensor]:
        # The last reference frame, so that a jump from the reference counts as motion.
        last = real.reference[:, -1:]
        moved, recorded = (
            rearrange(torch.cat([last, motion], dim=1)[:, :, self.points], "b t p d -> b t (p d)")
            for motion in (generated.motion, real.motion)
        )
        ratios = [
            self._log_ratios(moved[:, lag:] - moved[:, :-lag], recorded[:, lag:] - recorded[:, :-lag])
            for lag in self.lags
            if lag < moved.shape[1]
        ]
        # The root mean square gives most weight to the direction with the largest error.
        return {"spread": self.weight * torch.sqrt(torch.cat(ratios).square().mean() + 1e-8)} if ratios else {}

    def _log_ratios(self, generated: Tensor, real: Tensor) -> Tensor:
        """Return the logarithms ``[directions]`` of the ratio of root mean squares of displacements ``[B, T, F]``."""
        # Real motion only defines the directions; gradients must not change them.
        variances, vectors = torch.linalg.eigh(_covariance(real.detach()))
        scales = (variances[-self.directions :].clamp(min=0) + NOISE**2).rsqrt()
        whitening = vectors[:, -self.directions :] * scales
        # The detector's noise on both sides, so that a direction in which nothing moves has the ratio 1.
        noise = NOISE**2 * whitening.mT @ whitening
        whitened: Tensor = whitening.mT @ _covariance(generated) @ whitening + noise
        if not torch.isfinite(whitened).all():
            return whitened.diagonal()  # for the trainer to report; eigenvalues would raise an error
        ratios: Tensor = torch.linalg.eigvalsh(whitened)
        return 0.5 * ratios.clamp(min=1e-12).log()


def _covariance(displacements: Tensor) -> Tensor:
    """Return the mean outer product ``[F, F]`` of displacements ``[B, T, F]``."""
    rows = rearrange(displacements, "b t f -> (b t) f")
    return rows.mT @ rows / len(rows)
