"""Specs: frozen, typed descriptions from which components are built. No torch is needed to read one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema, core_schema

from .errors import HeadmotionError, SpecError
from .plugins import registry

if TYPE_CHECKING:
    from .audio_encoder import AudioEncoder
    from .component import Component
    from .detector import Detector
    from .discriminator import Discriminator
    from .generator import Generator
    from .loss import Loss
    from .metric import Metric
    from .renderer import Renderer
    from .representation import Representation
    from .syncer import Syncer


class Spec(BaseModel):
    """Base of all specs: frozen, no unknown fields, every error one clear `SpecError`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    kind: ClassVar[str] = ""

    @classmethod
    def type_name(cls) -> str:
        """The literal of the field ``type``, by which a spec is named in JSON."""
        field = cls.model_fields.get("type")
        names = get_args(field.annotation) if field is not None else ()
        return str(names[0]) if names else cls.__name__

    @model_validator(mode="wrap")
    @classmethod
    def _one_clear_error(cls, value: Any, handler: Any) -> Self:
        try:
            return cast("Self", handler(value))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            known = ", ".join(sorted(cls.model_fields))
            if first["type"] == "extra_forbidden":
                raise SpecError(
                    f"{cls.type_name()} spec", f"only the fields {known}", f"{where!r}", f"remove {where!r}"
                ) from None
            if first["type"] == "missing":
                raise SpecError(f"{cls.type_name()} spec", f"the field {where!r}", "none", f"add {where!r}") from None
            got = repr(first["input"])
            raise SpecError(f"{cls.type_name()} spec", f"{where}: {first['msg']}".strip(": "), got[:80]) from None


@contextmanager
def building(what: str) -> Iterator[None]:
    """Whatever goes wrong while parts are built from specs, in any plugin, is one clear `SpecError`."""
    try:
        yield
    except HeadmotionError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        raise SpecError(what, "a spec from which it can be built", reason) from error


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


_described: ContextVar[frozenset[str]] = ContextVar("kinds whose JSON schema is being written", default=frozenset())


class _ByType:
    """Pydantic metadata: accept ``"name"``, ``{"type": "name", ...}`` or a built spec, through the registry."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kind: str = source.kind

        def resolve(value: Any) -> Spec:
            if isinstance(value, source):
                return cast("Spec", value)
            return spec_from(kind, value)

        return core_schema.no_info_plain_validator_function(
            resolve,
            metadata={"kind": kind},
            serialization=core_schema.plain_serializer_function_ser_schema(lambda spec: spec.model_dump(mode="json")),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        kind = cast("dict[str, Any]", schema)["metadata"]["kind"]
        if kind in _described.get():  # a spec that holds others of its own kind: described once, not without end
            return {"title": kind, "type": ["string", "object"]}
        known = {name: registry().resolve(kind, name) for name in registry().types(kind)}
        brief = [name for name, spec in known.items() if not any(f.is_required() for f in spec.model_fields.values())]
        # Through the handler, so that what is nested lands among the definitions of the whole schema.
        outer = _described.set(_described.get() | {kind})
        full = [handler(spec.__pydantic_core_schema__) for spec in known.values()]
        _described.reset(outer)
        return {"title": kind, "anyOf": [{"enum": brief, "description": "a type with its defaults"}, *full]}


K = TypeVar("K", bound=Spec)

SpecField = Annotated[K, _ByType()]
"""``SpecField[GeneratorSpec]``: a field that holds any registered spec of that kind."""


def spec_from(kind: str, value: Any) -> Spec:
    """The spec of ``kind`` described by a type name or a dict with ``type``.

    Raises:
        SpecError: unknown type (near matches and the package to install are named), unknown field, bad value.
    """
    described = {"type": value} if isinstance(value, str) else value
    if not isinstance(described, dict) or not isinstance(described.get("type"), str):
        raise SpecError(f"{kind} spec", "a type name or an object with a 'type'", repr(value)[:80])
    return registry().resolve(kind, described["type"]).model_validate(described)
