"""Objects as one line: arrays by type and shape rather than by their numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

MAX_TEXT = 80
"""Letters of a value that has no short form of its own."""


def fields_repr(item: Any) -> str:
    """Return a dataclass as ``Name(field=value, ...)`` without fields that are None or empty."""
    values = ((field.name, getattr(item, field.name)) for field in fields(item) if field.repr)
    shown = [f"{name}={_field(value)}" for name, value in values if not _is_nothing(value)]
    return f"{type(item).__name__}({', '.join(shown)})"


def module_repr(module: nn.Module, what: str) -> str:
    """Return a module as its class, what it is, and its number of weights."""
    count = sum(parameter.numel() for parameter in module.parameters())
    return f"<{type(module).__name__}: {', '.join([what, *([f'{count:,} weights'] if count else [])])}>"


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, tuple | list | Mapping) and not value)


def _field(value: Any) -> str:
    text = repr(value)
    return text if text.startswith("<") else short_repr(value)


def shown(value: Any) -> str:
    """Return what a value is, in a few words, for an error: an array's type and shape, or type and beginning."""
    if _is(value, "numpy.ndarray"):
        return f"an array {_shape(value)}"
    if _is(value, "torch.Tensor"):
        return _shape(value) if value.device.type == "cpu" else f"{_shape(value)} on {value.device}"
    return f"{type(value).__name__} {short_repr(value)}" if value is not None else "None"


def short_repr(value: Any) -> str:
    """Return ``repr(value)`` as one line of at most `MAX_TEXT` letters, or an array's type and shape; never fails."""
    if (_is(value, "numpy.ndarray") or _is(value, "torch.Tensor")) and value.ndim:
        return _shape(value)
    try:
        return shorten(" ".join(repr(value).split()), MAX_TEXT)
    except ValueError:  # an integer of thousands of digits, which Python does not write
        return "a number of thousands of digits"
    except RecursionError:
        return "values nested too deep"


def shorten(text: str, most: int) -> str:
    """Return a text of at most ``most`` letters: of a longer one the beginning and the end, cut between words."""
    if len(text) <= most:
        return text
    end = most // 4
    beginning = re.sub(r"(?<=\s)\S{1,20}$", "", text[: most - end - 3])
    return beginning + "..." + re.sub(r"^\S{1,20}(?=\s)", "", text[-end:])


def _is(value: Any, name: str) -> bool:
    # Without torch and NumPy, which errors do not need.
    return any(f"{base.__module__}.{base.__qualname__}" == name for base in type(value).__mro__)


def _shape(value: Any) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
