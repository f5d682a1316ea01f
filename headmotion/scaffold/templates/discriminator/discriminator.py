"""VelocityDiscriminator: distinguishes real from generated motion by their velocities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from headmotion import BuildContext, Discriminator, Sample

if TYPE_CHECKING:
    from .specs import VelocityDiscriminatorSpec


class VelocityDiscriminator(Discriminator):
    """One head, ``velocity``: the mean over frames of the score that a small network gives each velocity."""

    def __init__(self, spec: VelocityDiscriminatorSpec, context: BuildContext) -> None:
        super().__init__(spec)
        flat = context.representation.points * context.representation.dims
        self.score = nn.Sequential(nn.Linear(flat, spec.hidden_size), nn.Tanh(), nn.Linear(spec.hidden_size, 1))

    def forward(self, sample: Sample) -> Mapping[str, Tensor]:
        """Score the motion of a sample, which follows its reference frames: ``[B]`` by head."""
        velocities = torch.cat([sample.reference[:, -1:], sample.motion], dim=1).diff(dim=1)
        return {"velocity": self.score(velocities.flatten(2)).mean((1, 2))}
