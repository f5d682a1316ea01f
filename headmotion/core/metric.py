"""Metric: generated motion is measured."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .audio import Audio
from .component import Component
from .motion import Motion

Observation = Mapping[str, Tensor]
"""What a metric keeps of one clip: named tensors on the CPU, small enough to be kept for every clip of a corpus."""


@dataclass(frozen=True)
class MetricInput:
    """One clip to be measured. All motions have one representation, one rate and one number of frames."""

    name: str
    """The clip's id."""
    generated: Motion
    """In pixels of the source picture, as pipelines give it."""
    real: Motion | None = None
    """True motion for the same speech, where it is known."""
    audio: Audio | None = None
    """The speech."""
    others: tuple[Motion, ...] = ()
    """Motion generated for the same speech and reference from other seeds."""


@dataclass(frozen=True)
class Figures:
    """What a metric says of a set of clips."""

    values: Mapping[str, float]
    """Finite numbers, in the units that their names state."""
    notes: tuple[str, ...] = ()
    """What a reader must know to trust them: too few clips, a value that could not be told and why."""


class Metric(Component):
    """Figures of a set of clips: something is observed in each clip, and figures are made of all observations.

    The two are apart so that an interval can be drawn by bootstrap over clips without looking at a clip twice, and
    because some figures (distances of distributions) belong to no single clip.
    """

    @property
    @abstractmethod
    def protocol(self) -> Mapping[str, Any]:
        """All that two figures must share to be comparable, as JSON values: lengths, extractors and their hashes."""

    @abstractmethod
    def observe(self, clip: MetricInput) -> Observation:
        """What is kept of one clip.

        Raises:
            MotionError: this clip cannot be measured (too short, nothing to compare with), with the reason.
        """

    @abstractmethod
    def figures(self, observed: Sequence[Observation]) -> Figures:
        """Figures of the clips that were observed, at least one. Never NaN: what cannot be told is a note."""
