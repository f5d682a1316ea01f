"""Distance from the true motion."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.loss import Loss, LossInput
from ..core.interfaces.specs import BuildContext
from ..geometry.rigid_fit import fit_similarity
from .groups import points_of
from .specs import ReconstructionLossSpec

SHAPE_STRIDE = 4
"""The shape is compared every so many frames: neighbors say much the same, at a price of P * P distances each."""


class ReconstructionLoss(Loss):
    """L1 distance of groups of points, of the shape and of openings, in hundredths of the unit frame."""

    def __init__(self, spec: ReconstructionLossSpec, context: BuildContext) -> None:
        super().__init__(spec)
        representation = context.representation
        for name in spec.openings:
            if name not in representation.openings:
                has = ", ".join(representation.openings) or "(none)"
                raise SpecError("reconstruction loss", f"openings that {representation.name} has: {has}", repr(name))

        def points(*groups: str) -> list[int]:
            return points_of("reconstruction loss", representation, groups)

        self.groups = {name: (points(name), weight) for name, weight in spec.groups.items()}
        self.openings = {name: (representation.openings[name], weight) for name, weight in spec.openings.items()}
        self.shape = spec.shape
        self.anchor = points(spec.relative_to) if spec.relative_to else None
        self.aligned = points(*spec.aligned_by)
        self.to_points2d = representation.to_points2d

    @override
    def forward(self, data: LossInput) -> Mapping[str, Tensor]:
        generated, real = self._comparable(data.generated, data.real)
        terms = {}
        for name, (points, weight) in self.groups.items():
            terms[name] = 100 * weight * (generated[:, :, points] - real[:, :, points]).abs().mean()
        if self.shape:
            terms["shape"] = (
                100 * self.shape * (self._distances(data.generated) - self._distances(data.real)).abs().mean()
            )
        for name, (pairs, weight) in self.openings.items():
            difference = self._opening(data.generated, pairs) - self._opening(data.real, pairs)
            terms[f"{name}_opening"] = 100 * weight * difference.norm(dim=-1).mean()
        return terms

    def _comparable(self, generated: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        if not self.aligned:
            return self._relative(generated), self._relative(real)
        generated, real = self.to_points2d(generated), self.to_points2d(real)
        return fit_similarity(generated[..., self.aligned, :], real[..., self.aligned, :]).apply(generated), real

    def _relative(self, motion: Tensor) -> Tensor:
        return motion if self.anchor is None else motion - motion[:, :, self.anchor].mean(2, keepdim=True)

    def _distances(self, motion: Tensor) -> Tensor:
        """Distances between all points, ``[B, T / 4, P, P]``: blind to where the head is and how it is tilted."""
        points = self.to_points2d(motion[:, ::SHAPE_STRIDE])
        return torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")

    def _opening(self, motion: Tensor, pairs: tuple[tuple[int, int], ...]) -> Tensor:
        """Vectors from one side to the other, ``[B, T, pairs, 2]``: lengths alone would let lips cross."""
        a, b = (list(side) for side in zip(*pairs, strict=True))
        points = self.to_points2d(motion)
        return points[:, :, a] - points[:, :, b]
