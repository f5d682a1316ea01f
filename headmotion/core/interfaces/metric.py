"""Metric: generated motion is measured."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from torch import Tensor

from ..component import Component
from ..motion import Motion

if TYPE_CHECKING:
    from ...media.audio import Audio

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
    long: Motion | None = None
    """Motion generated from the same reference for speech that goes on far beyond the clip."""


@dataclass(frozen=True)
class MetricValues:
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

    needs: frozenset[str] = frozenset()
    """Fields of `MetricInput` beyond ``generated`` without which no clip can be measured."""
    long_frames: int = 0
    """Frames of ``MetricInput.long`` that are looked at."""
    better: Mapping[str, Literal["lower", "higher"]] = {}
    """Which end is good, of those figures that have a good end."""

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
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        """Figures of the clips that were observed, at least one. Never NaN: what cannot be told is a note."""


@runtime_checkable
class PerClip(Protocol):
    """A metric with figures that are means over clips: their intervals are quick, and clips have ranks."""

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Finite figures of one clip, left out where they cannot be told; `Metric.figures` has their means."""
        ...


@runtime_checkable
class SupportsBatch(Protocol):
    """A metric that is faster with several clips at once."""

    def observe_batch(self, clips: Sequence[MetricInput]) -> Sequence[Observation]:
        """What `Metric.observe` gives for each of the clips.

        Raises:
            HeadmotionError: one of them cannot be measured; each is then observed on its own.
        """
        ...


@runtime_checkable
class SlowBootstrap(Protocol):
    """A metric whose `figures` take long enough that fewer bootstrap draws must do."""

    draws: int
    """Draws that are worth it."""


@dataclass(frozen=True)
class Curve:
    """Points that a line joins."""

    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Plot:
    """Lines in one pair of axes."""

    x_label: str
    """What it is, and its unit; so for the next."""
    y_label: str
    curves: Mapping[str, Curve]
    """By what the legend says."""


@runtime_checkable
class SupportsPlots(Protocol):
    """A metric that has curves to show."""

    def plots(self, observed: Sequence[Observation]) -> Mapping[str, Plot]:
        """Plots of the clips that were observed, at least one, by title; all numbers finite."""
        ...
