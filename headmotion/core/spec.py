"""Specs: frozen, typed descriptions from which components are built. No torch is needed to read one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema, core_schema

from .errors import HeadmotionError, SpecError, first_problem
from .plugins import registry


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
            got = repr(first["input"])[:80]
            raise SpecError(f"{cls.type_name()} spec", first_problem(error), got) from None


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


_described: ContextVar[frozenset[str]] = ContextVar("kinds whose JSON schema is being written", default=frozenset())


class _ByType:
    """Pydantic metadata: accept ``"name"``, ``{"type": "name", ...}`` or a built spec, through the registry."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kind: str = source.kind

        def resolve(value: Any) -> Spec:
            if isinstance(value, source):
                return cast("Spec", value)
            return resolve_spec(kind, value)

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


def resolve_spec(kind: str, value: Any) -> Spec:
    """The spec of ``kind`` described by a type name or a dict with ``type``.

    Raises:
        SpecError: unknown type (near matches and the package to install are named), unknown field, bad value.
    """
    described = {"type": value} if isinstance(value, str) else value
    if not isinstance(described, dict) or not isinstance(described.get("type"), str):
        raise SpecError(f"{kind} spec", "a type name or an object with a 'type'", repr(value)[:80])
    return registry().resolve(kind, described["type"]).model_validate(described)
