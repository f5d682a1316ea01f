"""Metric: generated motion is measured."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from .audio import Audio
from .component import Component
from .motion import Motion


class Metric(Component):
    """Named figures of one clip."""

    @abstractmethod
    def measure(self, generated: Motion, real: Motion | None = None, audio: Audio | None = None) -> Mapping[str, float]:
        """Figures of a clip, in the units that their names state.

        Raises:
            MotionError: the metric needs ``real`` or ``audio`` and got None.
        """
