"""Loss: what a generator is trained to make small."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ..component import Component


@dataclass(frozen=True)
class LossInput:
    """What a loss may look at; motion in the unit frame."""

    reference: Tensor
    """Real frames before the generated ones, ``[B, R, P, D]``."""
    generated: Tensor
    """``[B, T, P, D]``."""
    real: Tensor
    """True motion for the same audio, ``[B, T, P, D]``."""
    audio: Tensor
    """Features of reference and generated frames, ``[B, 4*(R+T), C]``."""


class Loss(Component):
    """Named terms, each already weighted; the trainer adds and logs them.

    A loss may hold parameters of its own; those that require gradients are trained by its own optimizer.
    """

    @abstractmethod
    def forward(self, data: LossInput) -> Mapping[str, Tensor]:
        """Scalar terms by name."""
