"""The head's frame: motion of a face is divided into that of its skull and local motion, by linear algebra only."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..core.interfaces.representation import Representation, SupportsPoints2D
from ..representations.point_representation import neutral_3d

RANK_TOLERANCE = 1e-4
"""Singular values of the skull's points below this share of the largest count as 0."""


class HeadFrame(nn.Module):
    """Divides displacements ``[B, T, P, D]`` from a reference into coordinates of the head and local displacements.

    A solid head that a distant camera sees moves by a linear function of its points' places in space: the displacement
    of point ``p`` is ``sum_k basis[p, k] * coordinates[k]`` with the reference's own x and y (and depth, that of a mean
    head where there is none) and a constant. Columns of the basis have a root mean square of 1, so that coordinates are
    in the unit of displacements. The coordinates are fitted to points of the skull by least squares. A representation
    without a face has no coordinates, and all of its motion is local.

    Args:
        representation: whose groups ``eyes`` and ``nose`` hold the skull's points.
    """

    depth: Tensor

    def __init__(self, representation: Representation) -> None:
        super().__init__()
        self.skull = _skull(representation)
        self.points, self.dims = representation.points, representation.dims
        mean_head = neutral_3d(representation) if self.skull and self.dims == 2 else None
        depth = torch.zeros(self.points, 0) if mean_head is None else mean_head[:, 2:]
        self.register_buffer("depth", depth, persistent=False)
        self.columns = self.dims + depth.shape[1] + 1 if self.skull else 0
        self.size = self.columns * self.dims
        """Number of coordinates."""

    def basis(self, reference: Tensor) -> Tensor:
        """Return the basis ``[B, P, K]`` of reference poses ``[B, P, D]``."""
        if not self.skull:
            return reference[..., :0]
        points = torch.cat([reference, self.depth.to(reference).expand(len(reference), -1, -1)], dim=-1)
        centered = points - points[:, self.skull].mean(1, keepdim=True)
        scale = centered.square().mean(1, keepdim=True).sqrt().clamp(min=1e-6)
        return torch.cat([centered / scale, torch.ones_like(centered[..., :1])], dim=-1)

    def split(self, displacement: Tensor, basis: Tensor) -> tuple[Tensor, Tensor]:
        """Return coordinates ``[B, T, K * D]`` and local displacements ``[B, T, P * D]``."""
        if not self.skull:
            return displacement.flatten(2)[..., :0], displacement.flatten(2)
        fit = torch.linalg.pinv(basis[:, self.skull], rtol=RANK_TOLERANCE)
        coordinates = fit.unsqueeze(1) @ displacement[:, :, self.skull]
        local = displacement - basis.unsqueeze(1) @ coordinates
        return coordinates.flatten(2), local.flatten(2)

    def join(self, coordinates: Tensor, local: Tensor, basis: Tensor) -> Tensor:
        """Return displacements ``[B, T, P, D]``; the inverse of `split`."""
        displacement = local.reshape(*local.shape[:2], self.points, self.dims)
        if not self.skull:
            return displacement
        return displacement + basis.unsqueeze(1) @ coordinates.reshape(*local.shape[:2], self.columns, self.dims)


def _skull(representation: Representation) -> list[int]:
    """Return points that move with the skull only: corners of the eyes, nose; none where there is no face."""
    groups = representation.groups
    is_face = bool(groups.get("eyes")) and bool(groups.get("nose")) and representation.dims in (2, 3)
    if not is_face or not isinstance(representation, SupportsPoints2D):
        return []
    opening = {point for pairs in representation.openings.values() for pair in pairs for point in pair}
    return sorted({*groups["eyes"], *groups["nose"]} - opening)
