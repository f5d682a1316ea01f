"""Metric: values that say how good generated motion is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from torch import Tensor

from ..component import Component
from ..motion import Motion
from ..short_repr import fields_repr

if TYPE_CHECKING:
    from ...media.audio import Audio

Observation = Mapping[str, Tensor]
"""What a metric keeps of one clip: named tensors on the CPU, small enough to keep them for every clip of a corpus."""


@dataclass(frozen=True, eq=False)
class PicturePair:
    """Pictures of one clip, generated and recorded, frame by frame."""

    generated: Tensor
    """What a renderer drew, ``uint8 [T, 3, H, W]``."""
    real: Tensor
    """What was recorded, ``uint8 [T, 3, H, W]``."""
    motion: Tensor
    """The recorded poses, in pixels of the pictures, ``[T, P, D]``."""

    __repr__ = fields_repr


@dataclass(frozen=True)
class MetricInput:
    """One clip to be measured. All motions have the same representation, rate and number of frames."""

    name: str
    """The clip's id."""
    generated: Motion
    """Generated motion, in pixels of the source picture."""
    real: Motion | None = None
    """Recorded motion for the same speech, if there is any."""
    audio: Audio | None = None
    """The speech."""
    others: tuple[Motion, ...] = ()
    """Motion generated for the same speech and reference from other seeds."""
    long: Motion | None = None
    """Motion generated from the same reference for speech that continues far beyond the clip."""
    pictures: PicturePair | None = None
    """Pictures drawn from the generated motion, and the recorded ones."""

    __repr__ = fields_repr


@dataclass(frozen=True)
class MetricValues:
    """Values of a metric for a set of clips."""

    values: Mapping[str, float]
    """Finite numbers, in the units that their names state."""
    notes: tuple[str, ...] = ()
    """What a reader must know to trust the values: too few clips, or a value that is undefined and why."""


class Metric(Component):
    """Values of a set of clips: `observe` reduces each clip to an observation, `figures` turns them into values.

    The two steps are separate so that a bootstrap over clips can estimate intervals without measuring a clip twice,
    and because some values (distances of distributions) belong to no single clip.
    """

    needs: frozenset[str] = frozenset()
    """Fields of `MetricInput` beyond ``generated`` without which no clip can be measured.

    Where one is missing, `observe` raises a `MotionError` that names it.
    """
    long_frames: int = 0
    """Frames of ``MetricInput.long`` that are used."""
    better: Mapping[str, Literal["lower", "higher"]] = {}
    """Whether lower or higher is better, for those values that have a better end."""

    @property
    @abstractmethod
    def protocol(self) -> Mapping[str, Any]:
        """Everything that two values must share to be comparable, as JSON values: lengths, extractors, their hashes."""

    @abstractmethod
    def observe(self, clip: MetricInput) -> Observation:
        """Reduce one clip to an observation.

        Raises:
            MotionError: this clip cannot be measured (too short, nothing to compare with), with the reason.
        """

    @abstractmethod
    def figures(self, observed: Sequence[Observation]) -> MetricValues:
        """Compute the values of one or more observed clips.

        Undefined values are left out and explained in ``notes``; no value is NaN.
        """


@runtime_checkable
class PerClip(Protocol):
    """A metric with values that are means over clips: their intervals are cheap, and clips can be ranked."""

    def per_clip(self, observed: Observation) -> Mapping[str, float]:
        """Return finite values of one clip without the undefined ones; `Metric.figures` returns their means."""
        ...


@runtime_checkable
class SupportsBatch(Protocol):
    """A metric that is faster with several clips at once."""

    def observe_batch(self, clips: Sequence[MetricInput]) -> Sequence[Observation]:
        """Return what `Metric.observe` returns for each of the clips.

        Raises:
            HeadmotionError: one of them cannot be measured; the caller then observes them one by one.
        """
        ...


@runtime_checkable
class SlowBootstrap(Protocol):
    """A metric whose `figures` takes so long that the bootstrap uses fewer draws."""

    draws: int
    """Number of bootstrap draws."""


@dataclass(frozen=True)
class Curve:
    """Points that are joined by a line."""

    x: Sequence[float]
    """Positions along the horizontal axis."""
    y: Sequence[float]
    """Positions along the vertical axis, as many."""


@dataclass(frozen=True)
class Plot:
    """Curves in one pair of axes."""

    x_label: str
    """Quantity and unit of the horizontal axis."""
    y_label: str
    """Quantity and unit of the vertical axis."""
    curves: Mapping[str, Curve]
    """Curves by their label in the legend."""


@runtime_checkable
class SupportsPlots(Protocol):
    """A metric that also draws plots."""

    def plots(self, observed: Sequence[Observation]) -> Mapping[str, Plot]:
        """Return plots of one or more observed clips by title; all numbers are finite."""
        ...
