"""Specs: frozen, typed descriptions from which components are built. Reading one does not import torch."""

from __future__ import annotations

import ast
import inspect
import logging
import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema, core_schema

from .booleans import refuse_booleans
from .errors import HeadmotionError, SpecError, describe
from .limits import INTEGER, limit, remedy
from .plugins import registry
from .short_repr import short_repr
from .validation import translated

_log = logging.getLogger("headmotion")
T = TypeVar("T")


class Spec(BaseModel):
    """Base of all specs: frozen, without unknown fields; every mistake is a `SpecError` of one line."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: ClassVar[str] = ""
    """Kind of part, such as ``generator``; empty for specs that are not registered."""
    for_checks: ClassVar[dict[str, Any]] = {}
    """Fields by which ``headmotion plugins check`` examines the type, such as narrow networks where the defaults are
    wide: what is promised does not depend on sizes. The defaults are then built, too, and asked for one output."""

    @classmethod
    def type_name(cls) -> str:
        """Return the literal of the field ``type``, which names a spec in JSON."""
        field = cls.model_fields.get("type")
        names = get_args(field.annotation) if field is not None else ()
        return str(names[0]) if names else cls.__name__

    @classmethod
    def _component(cls) -> str:
        """Return what errors call a spec: that of a type by its name, others in words, such as ``pipeline spec``."""
        name = cls.type_name()
        if "type" not in cls.model_fields:
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Spec")).lower()
        return f"{name} spec"

    @classmethod
    def field_docs(cls) -> dict[str, str]:
        """Return the docstrings below the fields, by name, as far as the source of the class can be read.

        They are read on request, not when the class is made, because that takes as long as all the rest of it.
        """
        docs: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, Spec):
                with suppress(OSError, TypeError, SyntaxError):
                    docs |= _docs_below_fields(inspect.getsource(base))
        return {name: docs[name] for name in cls.model_fields if name in docs}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return _with_field_docs(cls, handler(schema), handler)

    # Wrapped around validation, so that nested specs, which are validated on their own, name themselves in the error.
    @model_validator(mode="wrap")
    @classmethod
    def _validate_with_one_error(cls, value: Any, handler: Any) -> Self:
        try:
            spec = refuse_booleans(value, cast("Self", handler(value)))
        except ValidationError as error:
            raise translated(error, cls, value, cls._component(), error=SpecError) from None
        _check_integers(spec)
        return spec


def _check_integers(spec: Spec) -> None:
    """Raise an error for an integer beyond the default bound, in a field that states none; nested specs do it too."""
    for name, field in type(spec).model_fields.items():
        if any(hasattr(bound, "le") or hasattr(bound, "lt") for bound in field.metadata):
            continue
        for number in leaves(getattr(spec, name), int):
            if abs(number) > (bound := limit(INTEGER)):
                expected = f"{name} to be at most {bound:,}"
                raise SpecError(spec._component(), expected, short_repr(number), remedy())


def leaves(value: Any, kind: type[T]) -> Iterator[T]:
    """Yield what is of a type among a value and the items of its tuples, lists and dicts, at any depth."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, tuple | list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item, kind)


def _with_field_docs(spec: type[Spec], described: dict[str, Any], handler: GetJsonSchemaHandler) -> dict[str, Any]:
    """Return the JSON schema of a spec, its fields described by the docstrings below them."""
    properties = handler.resolve_ref_schema(described).get("properties", {})
    for name, text in spec.field_docs().items():
        properties.get(name, {}).setdefault("description", text)
    return described


def _docs_below_fields(source: str) -> dict[str, str]:
    """Return the strings that follow annotated names in the source of a class."""
    (definition,) = ast.parse(textwrap.dedent(source)).body
    docs = {}
    for pair in pairwise(getattr(definition, "body", ())):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = inspect.cleandoc(text)
    return docs


@contextmanager
def building(component: str) -> Iterator[None]:
    """Turn any exception while parts are built from specs, in any plugin, into a `SpecError` of one line.

    Parts are built on the CPU, whatever default device the program has set, and moved afterwards.

    Args:
        component: what is being built, for the error.

    Raises:
        SpecError: the body raised anything but a `HeadmotionError`.
        PluginError: it did so in the code of a plugin's part.
    """
    try:
        with _cpu():
            yield
    except HeadmotionError:
        raise
    except Exception as error:
        from .blame import plugin_error  # it imports specs

        blamed = plugin_error(error)
        raise blamed or SpecError(component, "a spec from which it can be built", describe(error)) from error


def _cpu() -> AbstractContextManager[Any]:
    """Return a context in which torch's default device is the CPU."""
    torch = sys.modules.get("torch")  # whoever has set another device has imported it
    return nullcontext() if torch is None else cast("AbstractContextManager[Any]", torch.device("cpu"))


_open_kinds: ContextVar[frozenset[str]] = ContextVar("kinds whose JSON schema is being written", default=frozenset())


class _ByType:
    """Pydantic metadata: accept ``"name"``, ``{"type": "name", ...}`` or a built spec, through the registry."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kind: str = source.kind

        # Looked up at validation rather than now, because classes are defined before plugins are loaded.
        def resolve(value: Any) -> Spec:
            if isinstance(value, source):
                return cast("Spec", value)
            return spec_of_kind(kind, value)

        return core_schema.no_info_plain_validator_function(
            resolve,
            metadata={"kind": kind},
            serialization=core_schema.plain_serializer_function_ser_schema(lambda spec: spec.model_dump(mode="json")),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        kind = cast("dict[str, Any]", schema)["metadata"]["kind"]
        if kind in _open_kinds.get():  # a spec that holds others of its own kind would recur without end
            return {"title": kind, "type": ["string", "object"]}
        specs = {name: registry().resolve(kind, name) for name in registry().types(kind)}
        brief = [name for name, spec in specs.items() if not required_fields(spec)]
        # The handler puts nested specs among the definitions of the whole schema.
        outer = _open_kinds.set(_open_kinds.get() | {kind})
        full = [_json_schema(spec, handler) for spec in specs.values()]
        _open_kinds.reset(outer)
        return {"title": kind, "anyOf": [{"enum": brief, "description": "a type with its defaults"}, *full]}


def _json_schema(spec: type[Spec], handler: GetJsonSchemaHandler) -> dict[str, Any]:
    """Return a type's JSON schema; a plugin may have fields that none can describe, and is warned about."""
    try:
        return _with_field_docs(spec, handler(spec.__pydantic_core_schema__), handler)
    except Exception as error:
        _log.warning("type %s has no JSON schema: %s", spec.type_name(), describe(error))
        fields = {"type": {"const": spec.type_name()}}
        return {"title": spec.__name__, "type": "object", "properties": fields, "required": ["type"]}


K = TypeVar("K", bound=Spec)

SpecField = Annotated[K, _ByType()]
"""``SpecField[GeneratorSpec]``: a field that holds any registered spec of that kind."""


def required_fields(spec: type[Spec]) -> list[str]:
    """Return the names of the fields without a default; a type without such fields can be given by its name alone."""
    return [name for name, field in spec.model_fields.items() if field.is_required()]


def spec_of_kind(kind: str, value: Any) -> Spec:
    """Return the spec of a kind for a type name, a dict with ``type`` or a spec; see `resolve_spec`, which has types.

    Args:
        kind: kind of part, such as ``generator``.
        value: ``"name"``, ``{"type": "name", ...}``, or a spec of that kind.

    Raises:
        SpecError: an unknown type (with similar names and the package to install), an unknown field, or a bad value.
    """
    if isinstance(value, Spec) and value.kind == kind:
        return value
    fields = {"type": value} if isinstance(value, str) else value
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise SpecError(f"{kind} spec", "a type name or an object with a 'type'", short_repr(value))
    return registry().resolve(kind, fields["type"]).model_validate(fields)
