"""Refuse booleans where a field is a number, which pydantic would convert to 0 and 1 without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Number
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails

M = TypeVar("M", bound=BaseModel)


class StrictNumbers(BaseModel):
    """Base of models that refuse a boolean where a field is a number."""

    # Wrapped around validation, because only its result says whether a field of several types became a number.
    @model_validator(mode="wrap")
    @classmethod
    def _refuse_booleans(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return refuse_booleans(value, handler(value))


def refuse_booleans(given: Any, model: M) -> M:
    """Return a model, unless a boolean of Python, NumPy or torch became a number in it.

    Args:
        given: what the model was made from; anything but a mapping has no fields.
        model: what validation made of it. Models in it are left out, because they are validated on their own.

    Raises:
        ValidationError: a boolean became a number.
    """
    fields = [name for name in type(model).model_fields if isinstance(given, Mapping) and name in given]
    found = [error for name in fields for error in _within(given[name], getattr(model, name), (name,))]
    if found:
        raise ValidationError.from_exception_data(type(model).__name__, found)
    return model


def _within(given: Any, validated: Any, place: tuple[int | str, ...]) -> Iterator[InitErrorDetails]:
    is_boolean = isinstance(given, bool) or str(getattr(given, "dtype", "")).endswith("bool")
    if is_boolean and isinstance(validated, Number) and not isinstance(validated, bool):
        yield InitErrorDetails(type="float_type", loc=place, input=given)
    elif isinstance(given, tuple | list) and isinstance(validated, tuple | list):
        for k, pair in enumerate(zip(given, validated, strict=False)):
            yield from _within(*pair, (*place, k))
    elif isinstance(given, Mapping) and isinstance(validated, Mapping):
        for key in given.keys() & validated.keys():
            yield from _within(given[key], validated[key], (*place, key))
