"""What is regressed and what is sampled: motion as standardized numbers relative to a reference, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..core.interfaces.representation import Representation
from .head_frame import HeadFrame

VARIANCE_FLOOR = 1e-8
"""Added to variances: numbers that never change must not become noise when they are divided by their deviation."""
AMOUNT_FLOOR = 0.003
"""Head motion below it (sides of the unit frame) is the tremble of a detector, and is not enlarged."""


@dataclass(frozen=True)
class Reference:
    """A pose that motion starts from, ``[B, P, D]``, and the basis of its head's motion."""

    pose: Tensor
    basis: Tensor


class Coordinates(nn.Module):
    """Motion ``[B, T, P, D]`` as regressed numbers ``[B, T, N]`` and sampled codes ``[B, T, S]``.

    Displacements from the reference are divided into those of the head and local ones (`HeadFrame`), and standardized
    over the training data. Local motion of the regressed groups is the first part. The codes are the coordinates of the
    head, as they are, and the local motion of all other points in a subspace: that of its principal components, which
    `subspace_error` finds. Head motion is divided by its amount in a clip, so that all heads have one scale.

    Args:
        representation: says which points are in which group.
        regressed: groups.
        codes: dimensions of the subspace.
        head_amount: amount of head motion that codes become.
    """

    regressed: Tensor
    sampled: Tensor
    order: Tensor
    is_regressed: Tensor

    def __init__(self, representation: Representation, regressed: Sequence[str], codes: int, head_amount: float):
        super().__init__()
        self.frame, self.head_amount = HeadFrame(representation), head_amount
        dims = representation.dims
        rows = {row for name in regressed for row in representation.groups.get(name, ())}
        columns = [[row * dims + d for row in range(representation.points) for d in range(dims) if (row in rows) is own]
                   for own in (True, False)]  # fmt: skip
        self.register_buffer("regressed", torch.tensor(columns[0], dtype=torch.long), persistent=False)
        self.register_buffer("sampled", torch.tensor(columns[1], dtype=torch.long), persistent=False)
        self.register_buffer("order", torch.tensor(columns[0] + columns[1]).argsort(), persistent=False)
        is_regressed = torch.zeros(representation.points * dims, dtype=torch.bool).index_fill(0, self.regressed, True)
        self.register_buffer("is_regressed", is_regressed, persistent=False)
        self.scale = nn.BatchNorm1d(
            self.frame.size + representation.points * dims, eps=VARIANCE_FLOOR, momentum=None, affine=False
        )
        self.subspace = nn.Parameter(torch.empty(len(columns[1]), min(codes, len(columns[1]))))
        if self.subspace.numel():
            nn.init.orthogonal_(self.subspace)
        self.regressed_size, self.sampled_size = len(columns[0]), self.frame.size + self.subspace.shape[1]
        # Openings between regressed points, as indices into the regressed numbers.
        index_of = {column: index for index, column in enumerate(columns[0])}
        pairs = [
            (index_of[a * dims + d], index_of[b * dims + d])
            for opening in getattr(representation, "openings", {}).values()
            for a, b in opening
            if a in rows and b in rows
            for d in range(dims)
        ]
        self.upper, self.lower = [a for a, _ in pairs], [b for _, b in pairs]

    def reference(self, pose: Tensor) -> Reference:
        """Return what motion from a pose ``[B, P, D]`` is relative to."""
        return Reference(pose, self.frame.basis(pose))

    def encode(self, motion: Tensor, reference: Reference) -> tuple[Tensor, Tensor]:
        """Return regressed and local sampled numbers, the former ``[B, T, N]``; the latter with the head in front."""
        head, local = self.frame.split(motion - reference.pose.unsqueeze(1), reference.basis)
        if head.shape[-1]:
            spread = (head - head.mean(1, keepdim=True)).square().mean((1, 2), keepdim=True).sqrt()
            head = head / spread.clamp(min=AMOUNT_FLOOR)
        values: Tensor = self.scale(torch.cat([head, local], dim=-1).mT).mT
        local = values[..., self.frame.size :]
        return local[..., self.regressed], torch.cat([values[..., : self.frame.size], local[..., self.sampled]], dim=-1)

    def codes(self, sampled: Tensor) -> Tensor:
        """Return codes ``[B, T, S]`` of the sampled numbers of `encode`."""
        head, local = sampled[..., : self.frame.size], sampled[..., self.frame.size :]
        return torch.cat([head, local @ self.subspace], dim=-1)

    def subspace_error(self, sampled: Tensor) -> Tensor:
        """Return the mean squared error of local motion in the subspace; it is least for principal components."""
        local = sampled[..., self.frame.size :]
        return (local - local @ self.subspace @ self.subspace.mT).square().mean()

    def decode(self, regressed: Tensor, codes: Tensor, reference: Reference, gain: float = 1.0) -> Tensor:
        """Return motion ``[B, T, P, D]`` of regressed numbers, whose displacements get a gain, and codes."""
        assert self.scale.running_var is not None and self.scale.running_mean is not None
        scale, mean = (self.scale.running_var + VARIANCE_FLOOR).sqrt(), self.scale.running_mean
        moved = torch.cat([regressed, codes[..., self.frame.size :] @ self.subspace.mT], dim=-1)
        moved = moved.index_select(-1, self.order)
        values = torch.cat([codes[..., : self.frame.size], moved], dim=-1) * scale + mean
        head, local = self.head_amount * values[..., : self.frame.size], values[..., self.frame.size :]
        local = torch.where(self.is_regressed, gain * local, local)
        return reference.pose.unsqueeze(1) + self.frame.join(head, local, reference.basis)
