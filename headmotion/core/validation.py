"""Mistakes that pydantic finds, as one error of four parts in the words of this library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from .errors import HeadmotionError, did_you_mean
from .short_repr import short_repr

M = TypeVar("M", bound=BaseModel)
WORDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_type": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "a text",
    "string_too_short": "{min_length} letters or more",
    "string_too_long": "at most {max_length} letters",
    "string_pattern_mismatch": "a text of the right form",
    "too_short": "{min_length} items or more",
    "too_long": "at most {max_length} items",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "values by name",
    "mapping_type": "values by name",
    "model_type": "fields by name",
    "model_attributes_type": "fields by name",
    "union_tag_invalid": "{discriminator} to be one of {expected_tags}",
    "union_tag_not_found": "fields with {discriminator}",
    "value_error": "{error}",
    "assertion_error": "{error}",
}
"""What is expected, by pydantic's type of the mistake; of others pydantic's own words are taken."""


def validated(
    model: type[M], given: Any, component: str, remedy: str = "", error: type[HeadmotionError] = HeadmotionError
) -> M:
    """Return a model that is made from values of a file or a caller.

    Args:
        model: class of the result.
        given: its fields by name.
        component: what has the fields, for the error.
        remedy: of mistakes that have none of their own.
        error: type of the error.

    Raises:
        HeadmotionError: an unknown field, one that is missing, or a value that does not fit.
    """
    try:
        return model.model_validate(given)
    except ValidationError as mistakes:
        raise translated(mistakes, model, given, component, remedy, error) from None


def translated(
    mistakes: ValidationError,
    model: type[BaseModel],
    given: Any,
    component: str,
    remedy: str = "",
    error: type[HeadmotionError] = HeadmotionError,
) -> HeadmotionError:
    """Return the first of pydantic's mistakes as an error; see `validated`, which has the arguments."""
    # A field that is missing or unknown often belongs to another type of a union, so values that do not fit go first.
    last = ("missing", "extra_forbidden")
    first = min(mistakes.errors(include_url=False), key=lambda mistake: mistake["type"] in last)
    kind, place = first["type"], first["loc"]
    where = ".".join(_names(place, given, kind))
    if kind == "missing":
        return error(component, f"the field {where!r}", "none", remedy or f"add {where!r}")
    got = short_repr(first["input"])
    models = _models_at(model, place[:-1])
    if kind == "extra_forbidden":
        fields = list(dict.fromkeys(name for model in models for name in model.model_fields))
        remedy = did_you_mean(str(place[-1]), fields, remedy or f"the fields are {', '.join(fields)}")
        return error(component, f"no field {where!r}", got, remedy)
    words = first["msg"].removeprefix("Input should be ")
    if kind in WORDS:
        words = WORDS[kind].format(**{name: _plain(bound) for name, bound in first.get("ctx", {}).items()})
    if kind in ("greater_than_equal", "less_than_equal"):
        words = _range(models, place[-1]) or words
    return error(component, f"{where}: {words}" if where else words, got, remedy)


def _plain(bound: Any) -> Any:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _names(place: Sequence[int | str], given: Any, kind: str) -> Iterator[str]:
    """Yield the parts of a place that are names or numbers in what was given, rather than pydantic's own labels."""
    for k, part in enumerate(place, 1):
        try:
            given = given[part]
        except (LookupError, TypeError):
            if kind != "missing" or k < len(place):
                continue
        yield str(part)


def _range(models: Iterable[type[BaseModel]], name: int | str) -> str:
    """Return both bounds of a field, or nothing if it has not both."""
    fields = [model.model_fields[str(name)] for model in models if name in model.model_fields]
    bounds = [bound for field in fields for bound in field.metadata]
    low, high = (next((getattr(bound, end) for bound in bounds if hasattr(bound, end)), None) for end in ("ge", "le"))
    return "" if low is None or high is None else f"a number from {_plain(low)} to {_plain(high)}"


def _models_at(model: type[BaseModel], place: Sequence[int | str]) -> list[type[BaseModel]]:
    """Return the models, more than one of a union, that have a mistake at a place."""
    models = [model]
    for part in place:
        inner = [nested for own in models if part in own.model_fields for nested in _models(own, str(part))]
        models = inner or models
    return models


def _models(model: type[BaseModel], field: str) -> list[type[BaseModel]]:
    pending, found = [model.model_fields[field].annotation], []
    while pending:
        annotation = pending.pop()
        pending += get_args(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
    return found
