"""Objects as one line: arrays by type and shape rather than by their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import nn

MAX_TEXT = 60
"""Letters of a value that has no short form of its own."""


def fields_repr(item: Any) -> str:
    """Return a dataclass as ``Name(field=value, ...)`` without fields that are None or empty."""
    values = ((field.name, getattr(item, field.name)) for field in fields(item) if field.repr)
    shown = [f"{name}={_short(value)}" for name, value in values if not _is_nothing(value)]
    return f"{type(item).__name__}({', '.join(shown)})"


def module_repr(module: nn.Module, what: str) -> str:
    """Return a module as its class, what it is, and its number of weights."""
    count = sum(parameter.numel() for parameter in module.parameters())
    return f"<{type(module).__name__}: {', '.join([what, *([f'{count:,} weights'] if count else [])])}>"


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, tuple | list | Mapping) and not value)


def shown(value: Any) -> str:
    """Return what a value is, in a few words, for an error: an array's type and shape, or type and beginning."""
    if isinstance(value, np.ndarray):
        return f"an array {_shape(value)}"
    if _is_tensor(value):
        return _shape(value) if value.device.type == "cpu" else f"{_shape(value)} on {value.device}"
    return f"{type(value).__name__} {repr(value)[:MAX_TEXT]}" if value is not None else "None"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) or _is_tensor(value):
        return _shape(value)
    text = " ".join(repr(value).split())
    return text if len(text) <= MAX_TEXT or text.startswith("<") else f"{text[:MAX_TEXT]}..."


def _is_tensor(value: Any) -> bool:
    # Without torch, which specs and synthetic clips do not need.
    return any(f"{base.__module__}.{base.__qualname__}" == "torch.Tensor" for base in type(value).__mro__)


def _shape(value: Any) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
