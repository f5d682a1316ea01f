"""Refuse booleans where a field is a number, which pydantic would convert to 0 and 1 without a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Number
from typing import Any, Self

from pydantic import BaseModel, ModelWrapValidatorHandler, model_validator


class StrictNumbers(BaseModel):
    """Base of models that refuse a boolean where a field is a number."""

    # Wrapped around validation, because only its result says whether a field of several types became a number.
    @model_validator(mode="wrap")
    @classmethod
    def _refuse_booleans(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        model = handler(value)
        for field, boolean in booleans_as_numbers(value, model):
            raise ValueError(f"{field} is a number, not {boolean!r}")
        return model


def booleans_as_numbers(given: Any, model: BaseModel) -> Iterator[tuple[str, Any]]:
    """Yield each boolean of Python, NumPy or torch that became a number, after the name of its field.

    Args:
        given: what the model was made from; anything but a mapping has no fields.
        model: what validation made of it. Models in it are left out, because they are validated on their own.
    """
    if isinstance(given, Mapping):
        for name in type(model).model_fields:
            if name in given:
                yield from _within(given[name], getattr(model, name), name)


def _within(given: Any, validated: Any, path: str) -> Iterator[tuple[str, Any]]:
    is_boolean = isinstance(given, bool) or str(getattr(given, "dtype", "")).endswith("bool")
    if is_boolean and isinstance(validated, Number) and not isinstance(validated, bool):
        yield path, given
    elif isinstance(given, tuple | list) and isinstance(validated, tuple | list):
        for k, pair in enumerate(zip(given, validated, strict=False)):
            yield from _within(*pair, f"{path}.{k}")
    elif isinstance(given, Mapping) and isinstance(validated, Mapping):
        for key in given.keys() & validated.keys():
            yield from _within(given[key], validated[key], f"{path}.{key}")
