"""Discriminator: real motion is told from generated motion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor

from ..component import Component


class Discriminator(Component):
    """Scores of motion by named heads; a higher score means more like real motion."""

    @abstractmethod
    def forward(self, reference: Tensor, motion: Tensor) -> Mapping[str, Tensor]:
        """Score motion.

        Args:
            reference: frames before the motion, ``[B, R, P, D]`` in the unit frame.
            motion: frames to be judged, ``[B, T, P, D]`` in the unit frame.

        Returns:
            Scores ``[n]`` by head name.
        """
