"""Nested states as tensors and JSON, and back. Reading runs no code: it fills objects of classes that are loaded."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import CheckpointError

ALLOWED = "tensors, arrays, numbers and words in tuples, lists, dicts and dataclasses of a module"
PLAIN = (bool, int, float, str)
"""Types that JSON holds exactly."""
SEQUENCES: dict[str, Any] = {"tuple": tuple, "list": list, "deque": deque, "set": set, "frozenset": frozenset}


class StateWriter:
    """Turns nested values into JSON values; their tensors are collected in ``tensors``.

    Args:
        device: device of the pipeline, whose tensors `StateReader` places on its own.
    """

    def __init__(self, device: torch.device) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._device = device

    def encode(self, value: Any, part: str) -> Any:
        """Return a value as JSON values.

        Args:
            value: the value.
            part: whose it is, for the error.

        Raises:
            CheckpointError: something that is none of the types in `ALLOWED`.
        """
        try:
            return self._encode(value)
        except _UnknownTypeError as error:
            got = str(error)
        except RecursionError:
            got = "values nested too deeply"
        raise CheckpointError(f"snapshot of {part}", ALLOWED, got)

    def _encode(self, value: Any) -> Any:
        if value is None or type(value) in PLAIN:
            return value
        if isinstance(value, Tensor):
            return self._tensor(value)
        if isinstance(value, np.ndarray | np.generic):
            return {"array": self._tensor(_from_numpy(value)), "scalar": isinstance(value, np.generic)}
        if isinstance(value, torch.Generator):
            return {"random": str(value.device), "state": self._tensor(value.get_state())}
        if isinstance(value, Fraction | Path):
            return {"path" if isinstance(value, Path) else "fraction": str(value)}
        if type(value) is dict:
            return {"dict": [[self._encode(key), self._encode(item)] for key, item in value.items()]}
        for kind, sequence in SEQUENCES.items():
            if type(value) is sequence:
                encoded: dict[str, Any] = {kind: [self._encode(item) for item in value]}
                return encoded | ({"maxlen": value.maxlen} if isinstance(value, deque) else {})
        return self._object(value)

    def _object(self, value: Any) -> Any:
        """Return a dataclass or a named tuple."""
        cls = type(value)
        names, name = _field_names(cls), f"{cls.__module__}:{cls.__qualname__}"
        if names is None or _loaded_class(name) is not cls:
            raise _UnknownTypeError(f"a {name}")
        return {"object": name, "fields": {field: self._encode(getattr(value, field)) for field in names}}

    def _tensor(self, value: Tensor) -> dict[str, Any]:
        if value.layout is not torch.strided or value.is_quantized:
            raise _UnknownTypeError(f"a tensor of the layout {value.layout}")
        # The order in memory is kept, because some products are rounded differently in another one.
        distinct = value.detach()
        for dim, stride in enumerate(value.stride()):
            if stride == 0 and value.shape[dim] > 1:  # repeated along this dimension
                distinct = distinct.narrow(dim, 0, 1)
        name = str(len(self.tensors))
        self.tensors[name] = distinct.cpu().clone(memory_format=torch.contiguous_format)
        on_device = value.device == self._device
        return {"tensor": name, "shape": list(value.shape), "stride": list(value.stride()), "on_device": on_device}


class StateReader:
    """Turns what `StateWriter` made into equal values.

    Args:
        tensors: by name.
        device: device of the pipeline.
    """

    def __init__(self, tensors: Mapping[str, Tensor], device: torch.device) -> None:
        self._tensors, self._device = tensors, device
        self._makers: dict[str, Callable[[Any], Any]] = {
            "tensor": self._tensor,
            "array": lambda data: self._array(data["array"], data["scalar"]),
            "random": lambda data: torch.Generator(data["random"]).set_state(self.decode(data["state"])),
            "fraction": lambda data: Fraction(data["fraction"]),
            "path": lambda data: Path(data["path"]),
            "dict": lambda data: {self.decode(key): self.decode(item) for key, item in data["dict"]},
            "deque": lambda data: deque(map(self.decode, data["deque"]), data["maxlen"]),
            "object": lambda data: self._object(data["object"], data["fields"]),
            "tuple": lambda data: tuple(map(self.decode, data["tuple"])),
            "list": lambda data: list(map(self.decode, data["list"])),
            "set": lambda data: set(map(self.decode, data["set"])),
            "frozenset": lambda data: frozenset(map(self.decode, data["frozenset"])),
        }

    def decode(self, data: Any) -> Any:
        """Return the value of JSON values.

        Raises:
            LookupError, TypeError, ValueError: data that `StateWriter` did not write.
        """
        if not isinstance(data, dict):
            return data
        return self._makers[next(iter(data))](data)

    def _tensor(self, data: dict[str, Any]) -> Tensor:
        stored = self._tensors[data["tensor"]]
        device = self._device if data["on_device"] else torch.device("cpu")
        tensor = torch.empty_strided(stored.shape, data["stride"], dtype=stored.dtype, device=device).copy_(stored)
        return tensor.expand(data["shape"])

    def _array(self, data: dict[str, Any], scalar: bool) -> Any:
        array = self._tensor(data).numpy()
        return array[()] if scalar else array

    def _object(self, name: str, stored: dict[str, Any]) -> Any:
        cls = _loaded_class(name)
        names = _field_names(cls)
        if cls is None or names is None or list(stored) != names:
            raise ValueError(f"no class {name} with such fields")
        values = {field: self.decode(item) for field, item in stored.items()}
        if issubclass(cls, tuple):
            return tuple.__new__(cls, values.values())
        # Neither __new__ nor __init__ of the class, so that a file can only fill objects and not run any code.
        instance = object.__new__(cls)
        for field, item in values.items():
            object.__setattr__(instance, field, item)
        return instance


class _UnknownTypeError(Exception):
    """A value of a type that cannot be stored; the message names it."""


def _from_numpy(value: Any) -> Tensor:
    try:
        return torch.from_numpy(np.array(value))
    except TypeError:
        raise _UnknownTypeError(f"an array of {value.dtype}") from None


def _field_names(cls: type | None) -> list[str] | None:
    """Return the names of a dataclass's or named tuple's fields, or None if it is neither."""
    if cls is not None and is_dataclass(cls):
        return [field.name for field in fields(cls)]
    return list(cls._fields) if cls is not None and issubclass(cls, tuple) and hasattr(cls, "_fields") else None


def _loaded_class(name: str) -> type | None:
    """Return a class by ``module:name`` if its module is loaded; nothing is imported."""
    module, _, qualified = name.partition(":")
    value: Any = sys.modules.get(module)
    for part in qualified.split("."):
        value = vars(value).get(part) if value is not None and hasattr(value, "__dict__") else None
    return value if isinstance(value, type) else None
