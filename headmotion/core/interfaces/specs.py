"""Base classes of the specs that plugins write, one per kind of part, and what a part is told of its neighbors.

They stand apart from the interfaces, so that a spec can be read, checked and shown without importing torch.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from ..spec import Spec

if TYPE_CHECKING:
    from ..component import Component
    from .audio_encoder import AudioEncoder
    from .detector import Detector
    from .discriminator import Discriminator
    from .generator import Generator
    from .loss import Loss
    from .metric import Metric
    from .renderer import Renderer
    from .representation import Representation
    from .syncer import Syncer


@dataclass(frozen=True)
class BuildContext:
    """What a component must know of its neighbors when it is built."""

    representation: Representation
    audio_channels: int
    steps_per_frame: int = 4
    fps: Fraction = Fraction(25)


class ComponentSpec(Spec):
    """Base of the specs that plugins register; subclasses of the nine kinds below are what they write."""

    @abstractmethod
    def build(self, context: BuildContext) -> Component:
        """Make the component. Heavy imports (torch) belong in here."""


class RepresentationSpec(ComponentSpec):
    """What the numbers of a motion mean."""

    kind: ClassVar[str] = "representation"

    @abstractmethod
    def build(self, context: BuildContext | None = None) -> Representation:
        """Make the representation, which needs no neighbors."""


class AudioEncoderSpec(ComponentSpec):
    """How a wave becomes feature steps."""

    kind: ClassVar[str] = "audio_encoder"

    @abstractmethod
    def build(self, context: BuildContext) -> AudioEncoder:
        """Make the audio encoder."""


class SyncerSpec(ComponentSpec):
    """How synchrony of audio and motion is scored."""

    kind: ClassVar[str] = "syncer"

    @abstractmethod
    def build(self, context: BuildContext) -> Syncer:
        """Make the syncer."""


class GeneratorSpec(ComponentSpec):
    """How audio becomes motion."""

    kind: ClassVar[str] = "generator"

    @abstractmethod
    def build(self, context: BuildContext) -> Generator:
        """Make the generator."""


class DiscriminatorSpec(ComponentSpec):
    """How real motion is told from generated motion."""

    kind: ClassVar[str] = "discriminator"

    @abstractmethod
    def build(self, context: BuildContext) -> Discriminator:
        """Make the discriminator."""


class RendererSpec(ComponentSpec):
    """How motion becomes pictures."""

    kind: ClassVar[str] = "renderer"

    @abstractmethod
    def build(self, context: BuildContext) -> Renderer:
        """Make the renderer."""


class LossSpec(ComponentSpec):
    """What a generator is trained to make small."""

    kind: ClassVar[str] = "loss"

    @abstractmethod
    def build(self, context: BuildContext) -> Loss:
        """Make the loss."""


class MetricSpec(ComponentSpec):
    """How generated motion is measured."""

    kind: ClassVar[str] = "metric"

    @abstractmethod
    def build(self, context: BuildContext) -> Metric:
        """Make the metric."""


class DetectorSpec(ComponentSpec):
    """How a representation is found in a picture."""

    kind: ClassVar[str] = "detector"

    @abstractmethod
    def build(self, context: BuildContext) -> Detector:
        """Make the detector."""
