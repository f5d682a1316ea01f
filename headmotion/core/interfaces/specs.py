"""Base classes of the specs that plugins write, one per kind of part, and the context that a part is built in.

They are separate from the interfaces, so that a spec can be read, checked and shown without importing torch.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from pydantic import Field

from ..spec import Spec, spec_of_kind

if TYPE_CHECKING:
    from ...controls.control import Control
    from ...training.context import TrainContext
    from ..component import Component
    from .audio_encoder import AudioEncoder
    from .detector import Detector
    from .discriminator import Discriminator
    from .generator import Generator
    from .loss import Loss
    from .metric import Metric
    from .phase import Phase
    from .renderer import Renderer
    from .representation import Representation
    from .syncer import Syncer


@dataclass(frozen=True)
class BuildContext:
    """What a component needs to know of the other parts when it is built."""

    representation: Representation
    """What the numbers of a motion mean."""
    audio_channels: int
    """Numbers per audio step, ``C``."""
    steps_per_frame: int = 4
    """Audio steps per motion frame. A part that cannot work with the value refuses with a `SpecError`."""
    fps: Fraction = Fraction(25)
    """Motion frames per second."""
    restoring: bool = False
    """Whether the tensors of a checkpoint replace the part's own right after it is built. A part whose weights come
    from a file must not read the file then, because it may be missing on this machine."""
    picture_size: tuple[int, int] | None = None
    """Height and width in pixels of the pictures that are trained on; None if there are none."""
    label_names: tuple[str, ...] = ()
    """Names of the corpus's labels, in the order of `Sample.labels`; empty if there are none."""


class ComponentSpec(Spec):
    """Base of the specs that plugins register. Plugins subclass one of the kinds below."""

    @abstractmethod
    def build(self, context: BuildContext) -> Component:
        """Build the component. Heavy imports (torch) belong in here."""


class RepresentationSpec(ComponentSpec):
    """What the numbers of a motion mean."""

    kind: ClassVar[str] = "representation"
    corpus_command: ClassVar[str] = ""
    """Command that makes a corpus of it, which the error names where a training is given another one."""

    @abstractmethod
    def build(self, context: BuildContext | None = None) -> Representation:
        """Build the representation, which needs no context."""


class AudioEncoderSpec(ComponentSpec):
    """How a wave becomes feature steps."""

    kind: ClassVar[str] = "audio_encoder"

    @abstractmethod
    def build(self, context: BuildContext) -> AudioEncoder:
        """Build the audio encoder."""


class SyncerSpec(ComponentSpec):
    """How the synchrony of audio and motion is scored."""

    kind: ClassVar[str] = "syncer"

    @abstractmethod
    def build(self, context: BuildContext) -> Syncer:
        """Build the syncer."""


class GeneratorSpec(ComponentSpec):
    """How audio becomes motion."""

    kind: ClassVar[str] = "generator"

    @abstractmethod
    def build(self, context: BuildContext) -> Generator:
        """Build the generator."""


class DiscriminatorSpec(ComponentSpec):
    """How real samples are distinguished from generated ones."""

    kind: ClassVar[str] = "discriminator"

    @abstractmethod
    def build(self, context: BuildContext) -> Discriminator:
        """Build the discriminator."""


class RendererSpec(ComponentSpec):
    """How motion becomes pictures."""

    kind: ClassVar[str] = "renderer"

    @abstractmethod
    def build(self, context: BuildContext) -> Renderer:
        """Build the renderer."""


class LossSpec(ComponentSpec):
    """What training minimizes."""

    kind: ClassVar[str] = "loss"

    @abstractmethod
    def build(self, context: BuildContext) -> Loss:
        """Build the loss."""


class MetricSpec(ComponentSpec):
    """How generated motion is measured."""

    kind: ClassVar[str] = "metric"

    @abstractmethod
    def build(self, context: BuildContext) -> Metric:
        """Build the metric."""


class PhaseSpec(Spec):
    """What a part of a training does, by one of the recipe's ``phases``."""

    kind: ClassVar[str] = "phase"

    steps: int = Field(2000, ge=0, le=1_000_000_000)
    """Steps of the phase; 0 leaves the phase out."""

    @abstractmethod
    def build(self, context: TrainContext) -> Phase:
        """Build the phase. Whatever does not fit is refused here, before the first step of any phase.

        Raises:
            SpecError: the phase cannot work with the pipeline, the corpus, or the parts of earlier phases.
        """


class ControlSpec(Spec):
    """How a motion is edited.

    A server takes such specs from its clients, so no field names a file.
    """

    kind: ClassVar[str] = "control"

    @abstractmethod
    def build(self) -> Control:
        """Build the control, which is a value and knows the motion only when it starts."""


class DetectorSpec(ComponentSpec):
    """How a representation is found in a picture."""

    kind: ClassVar[str] = "detector"
    representations: ClassVar[tuple[str, ...]] = ()
    """Types of the representations that the detector can be built for; empty if it does not say."""

    @abstractmethod
    def build(self, context: BuildContext) -> Detector:
        """Build the detector."""


@overload
def resolve_spec(kind: Literal["representation"], value: Any) -> RepresentationSpec: ...
@overload
def resolve_spec(kind: Literal["audio_encoder"], value: Any) -> AudioEncoderSpec: ...
@overload
def resolve_spec(kind: Literal["syncer"], value: Any) -> SyncerSpec: ...
@overload
def resolve_spec(kind: Literal["generator"], value: Any) -> GeneratorSpec: ...
@overload
def resolve_spec(kind: Literal["discriminator"], value: Any) -> DiscriminatorSpec: ...
@overload
def resolve_spec(kind: Literal["renderer"], value: Any) -> RendererSpec: ...
@overload
def resolve_spec(kind: Literal["loss"], value: Any) -> LossSpec: ...
@overload
def resolve_spec(kind: Literal["metric"], value: Any) -> MetricSpec: ...
@overload
def resolve_spec(kind: Literal["detector"], value: Any) -> DetectorSpec: ...
@overload
def resolve_spec(kind: Literal["phase"], value: Any) -> PhaseSpec: ...
@overload
def resolve_spec(kind: Literal["control"], value: Any) -> ControlSpec: ...
@overload
def resolve_spec(kind: str, value: Any) -> ComponentSpec: ...
def resolve_spec(kind: str, value: Any) -> Any:
    """Return the spec of a part for a type name, a dict with ``type``, or a spec, which is returned as it is.

    Args:
        kind: kind of part, such as ``generator``.
        value: ``"name"``, ``{"type": "name", ...}``, or a spec of that kind.

    Raises:
        SpecError: an unknown type (with similar names and the package to install), an unknown field, or a bad value.
    """
    return spec_of_kind(kind, value)
