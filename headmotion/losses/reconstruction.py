"""Distance of generated motion from the recorded motion, and the points that losses compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from typing_extensions import override

from ..core.errors import SpecError
from ..core.interfaces.loss import Loss
from ..core.interfaces.representation import Representation, require_points2d
from ..core.interfaces.sample import Sample
from ..core.interfaces.specs import BuildContext
from ..geometry.rigid_fit import fit_similarity
from .specs import ReconstructionLossSpec

ALL = "all"
"""The group of all points, which every representation has."""
SHAPE_STRIDE = 4
"""Step (frames) between compared shapes: neighbors hardly differ, and each costs P * P distances."""


class ReconstructionLoss(Loss):
    """L1 distance of groups of points, of the shape and of openings, in hundredths of the unit frame."""

    def __init__(self, spec: ReconstructionLossSpec, context: BuildContext) -> None:
        super().__init__(spec)
        representation = context.representation
        require_points2d(representation, "reconstruction loss")
        for name in spec.openings:
            if name not in representation.openings:
                available = ", ".join(representation.openings) or "(none)"
                expected = f"openings that {representation.name} has: {available}"
                raise SpecError("reconstruction loss", expected, repr(name))

        def points(*groups: str) -> list[int]:
            return points_of_groups("reconstruction loss", representation, groups)

        self.groups = {name: (points(name), weight) for name, weight in spec.groups.items()}
        self.openings = {name: (representation.openings[name], weight) for name, weight in spec.openings.items()}
        self.shape_weight = spec.shape
        self.relative_to = points(spec.relative_to) if spec.relative_to else None
        self.aligned_by = points(*spec.aligned_by)
        self.to_points2d = representation.to_points2d

    @override
    def forward(self, real: Sample, generated: Sample, step: int) -> Mapping[str, Tensor]:
        # Hundredths of the unit frame bring the terms to the order of 1, that of adversarial terms.
        moved, recorded = self._remove_head_motion(generated.motion, real.motion)
        terms = {}
        for name, (points, weight) in self.groups.items():
            terms[name] = 100 * weight * (moved[:, :, points] - recorded[:, :, points]).abs().mean()
        if self.shape_weight:
            difference = self._distances(generated.motion) - self._distances(real.motion)
            terms["shape"] = 100 * self.shape_weight * difference.abs().mean()
        for name, (pairs, weight) in self.openings.items():
            difference = self._opening(generated.motion, pairs) - self._opening(real.motion, pairs)
            terms[f"{name}_opening"] = 100 * weight * difference.norm(dim=-1).mean()
        return terms

    def _remove_head_motion(self, generated: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Shift or align both motions ``[B, T, P, D]``, as far as the spec says so."""
        if self.aligned_by:
            generated, real = self.to_points2d(generated), self.to_points2d(real)
            fit = fit_similarity(generated[:, :, self.aligned_by], real[:, :, self.aligned_by])
            return fit.apply(generated), real
        return self._subtract_center(generated), self._subtract_center(real)

    def _subtract_center(self, motion: Tensor) -> Tensor:
        return motion if self.relative_to is None else motion - motion[:, :, self.relative_to].mean(2, keepdim=True)

    def _distances(self, motion: Tensor) -> Tensor:
        """Return the distances between all points, ``[B, T / 4, P, P]``, which do not depend on the head's pose."""
        points = self.to_points2d(motion[:, ::SHAPE_STRIDE])
        # The faster way by matrix products loses the digits of near points.
        return torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")

    def _opening(self, motion: Tensor, pairs: tuple[tuple[int, int], ...]) -> Tensor:
        """Return the vectors from one side to the other, ``[B, T, pairs, 2]``; lengths would let lips cross."""
        upper, lower = (list(side) for side in zip(*pairs, strict=True))
        points = self.to_points2d(motion)
        return points[:, :, upper] - points[:, :, lower]


def points_of_groups(loss: str, representation: Representation, groups: Iterable[str]) -> list[int]:
    """Return the points of groups, one group after another.

    Args:
        loss: name of the loss, for the error.
        representation: which has the groups.
        groups: names of groups, or `ALL`.

    Raises:
        SpecError: the representation lacks a group.
    """
    members = {ALL: tuple(range(representation.points)), **representation.groups}
    for name in groups:
        if name not in members:
            raise SpecError(loss, f"groups that {representation.name} has: {', '.join(members)}", repr(name))
    return [point for name in groups for point in members[name]]
