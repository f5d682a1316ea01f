"""Loss: what training minimizes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ..component import Component


@dataclass(frozen=True)
class LossInput:
    """Input of a loss; all motion is in the unit frame."""

    reference: Tensor
    """Real frames before the generated ones, ``[B, R, P, D]``."""
    generated: Tensor
    """Generated motion ``[B, T, P, D]``."""
    real: Tensor
    """Recorded motion for the same audio, ``[B, T, P, D]``."""
    audio: Tensor
    """Features of reference and generated frames, ``[B, steps_per_frame * (R + T), C]``."""


class Loss(Component):
    """Named terms, each already weighted; the trainer adds and logs them.

    A loss may have parameters of its own; those that require gradients are trained by an optimizer of their own.
    """

    @abstractmethod
    def forward(self, data: LossInput) -> Mapping[str, Tensor]:
        """Return scalar terms by name."""
