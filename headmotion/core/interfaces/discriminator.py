"""Discriminator: real motion is told from generated motion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor

from ..component import Component


class Discriminator(Component):
    """Scores of motion, by named heads; higher means more like real motion."""

    @abstractmethod
    def forward(self, reference: Tensor, motion: Tensor) -> Mapping[str, Tensor]:
        """Frames before the motion ``[B, R, P, D]`` and the motion ``[B, T, P, D]`` to scores ``[n]`` by head name."""
