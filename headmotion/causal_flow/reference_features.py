"""Features of the reference pose for the trunk: how far mouth and eyes are open in it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from ..core.interfaces.representation import Representation, SupportsPoints2D


class ReferenceFeatures(nn.Module):
    """A linear layer over openings, in distances of the scale pair, relative to the resting pose: ``[B, W]``.

    Nothing else of a face is used, because its shape reveals the speaker, and a network that recognizes the few
    speakers of its training data fails on others. A representation without openings gives the difference from the
    resting pose.

    Args:
        representation: which has openings, or none.
        width: numbers of the result, ``W``.
    """

    neutral: Tensor

    def __init__(self, representation: Representation, width: int) -> None:
        super().__init__()
        self.representation = representation if isinstance(representation, SupportsPoints2D) else None
        self.openings = list(getattr(representation, "openings", {}).values())
        pose = representation.neutral()[None]
        self.register_buffer("neutral", self._measured(pose), persistent=False)
        self.linear = nn.Linear(self.neutral.shape[-1], width)

    @override
    def forward(self, pose: Tensor) -> Tensor:
        """Return ``[B, W]`` of poses ``[B, P, D]``."""
        features: Tensor = self.linear(self._measured(pose) - self.neutral.to(pose))
        return features

    def _measured(self, pose: Tensor) -> Tensor:
        if self.representation is None or not self.openings:
            return pose.flatten(1)
        points = self.representation.to_points2d(pose)
        left, right = self.representation.scale_pair
        size = (points[:, left] - points[:, right]).norm(dim=-1).clamp(min=1e-6)
        gaps = []
        for pairs in self.openings:
            upper, lower = (list(side) for side in zip(*pairs, strict=True))
            gaps.append((points[:, upper] - points[:, lower]).norm(dim=-1).mean(-1) / size)
        return torch.stack(gaps, dim=-1)
