"""Loss: what training minimizes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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

    A loss may have parameters of its own. Those that require gradients need an objective, `SupportsObjective`; training
    refuses a loss whose parameters nothing trains.
    """

    @abstractmethod
    def forward(self, data: LossInput) -> Mapping[str, Tensor]:
        """Return scalar terms by name."""


@runtime_checkable
class SupportsObjective(Protocol):
    """A loss that learns, such as an estimator of mutual information: its parameters have an objective of their own.

    In each step the discriminators are updated first, then the losses by their objectives, then the generator. While a
    loss guides the generator, its parameters are frozen.
    """

    def objective(self, data: LossInput) -> Mapping[str, Tensor]:
        """Return the scalar terms that the loss's own parameters minimize, by name.

        Args:
            data: the batch; ``generated`` carries no gradient. An asymmetric estimator uses ``real`` only.
        """
        ...
