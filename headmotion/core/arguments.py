"""Arguments of public calls: one of a wrong type is one clear error, not a TypeError from deep inside."""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from .errors import HeadmotionError
from .short_repr import shown

S = TypeVar("S", bound=str)
T = TypeVar("T")
SEEDS = 1 << 63
"""Number of seeds, which begin at 0."""


def as_path(value: Any, component: str, error: type[HeadmotionError] = HeadmotionError) -> Path:
    """Return a path.

    Args:
        value: what the caller gave.
        component: who asks, for the error.
        error: type of the error.

    Raises:
        HeadmotionError: neither text nor a path, or an empty text, which would be the current folder.
    """
    if not isinstance(value, str | os.PathLike):
        raise error(component, "a path", shown(value))
    if not os.fspath(value):
        raise error(component, "a path", "an empty text")
    return Path(value)


def as_integer(value: Any, component: str, low: int = 0, below: int | None = None) -> int:
    """Return a whole number of any type, such as one of NumPy.

    Args:
        value: what the caller gave.
        component: who asks, for the error.
        low: least value.
        below: the value must be less; None: any.

    Raises:
        HeadmotionError: no whole number, or one out of range.
    """
    try:
        number = low - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = low - 1
    if number < low or (below is not None and number >= below):
        end = "" if below is None else f" and below {below:,}"
        raise HeadmotionError(component, f"a whole number from {low}{end}", shown(value))
    return number


def is_finite_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a finite number; True and False are none, though they are integers in Python."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    # Integers beyond the largest float, which Python also reads from JSON, cannot be converted.
    return abs(value) <= sys.float_info.max


def as_texts(value: Iterable[S], component: str, what: str) -> list[S]:
    """Return the texts of a collection; see `as_list`. A text alone is none: it would be taken letter by letter."""
    return as_list(value, component, what, lambda each: isinstance(each, str))


def as_list(value: Iterable[T], component: str, what: str, fits: Callable[[Any], bool]) -> list[T]:
    """Return the items of a collection after a check of each.

    Args:
        value: what the caller gave.
        component: who asks, for the error.
        what: what the items are, for the error.
        fits: whether an item is one.

    Raises:
        HeadmotionError: no collection, or an item that is something else.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise HeadmotionError(component, f"a list of {what}", shown(value))
    items = list(value)
    if stray := [item for item in items if not fits(item)]:
        raise HeadmotionError(component, f"a list of {what}", f"{shown(stray[0])} in it")
    return items
