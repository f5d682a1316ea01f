"""A budget for tensors while parts are built from a spec that came with a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .errors import CheckpointError
from .limits import BUILD_BYTES, FROZEN_BYTES, limit, remedy

_NAMED = ("low", "high", "size", "fill_value", "stride", "start", "end", "step", "steps", "n", "m")
"""Arguments of the functions below that may be given by name, in their order."""


def _product(*size: Any) -> float:
    return float(math.prod(size if all(isinstance(edge, int) for edge in size) else size[0]))


def _range(start: float, end: float | None = None, step: float = 1) -> float:
    return (start if end is None else end - start) / step


# Computed here, because torch imports its compiler to answer for some of them on the device "meta".
_COUNTS: dict[Callable[..., Any], Callable[..., float]] = {
    **dict.fromkeys((torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn), _product),
    **dict.fromkeys((torch.full, torch.empty_strided), lambda size, *_: _product(size)),
    **dict.fromkeys((Tensor.new_empty, Tensor.new_zeros, Tensor.new_ones), lambda tensor, *size: _product(*size)),
    Tensor.new_full: lambda tensor, size, value: _product(size),
    torch.randint: lambda *arguments: _product(arguments[-1]),
    torch.randperm: lambda n: n,
    torch.linspace: lambda start, end, steps: steps,
    torch.arange: _range,
    torch.eye: lambda n, m=None: n * (n if m is None else m),
}
"""The number of values of a new tensor, by the function that makes it."""


class BuildBudget(TorchFunctionMode):
    """Refuse, before it is allocated, what goes far beyond the tensors of the checkpoint that a spec comes from.

    A spec of a few bytes can describe a network of terabytes. The parts of a whole checkpoint need about what its
    tensors take, so four times that is allowed, with room for what follows from the spec alone, and for frozen
    weights, which need not be in the file.

    Args:
        path: the checkpoint, for the error.
        stored_bytes: size of its tensors.
        parts: the specs in it, as JSON values.

    Raises:
        CheckpointError: on entering a tensor beyond the budget.
    """

    def __init__(self, path: object, stored_bytes: int, parts: Iterable[Any]) -> None:
        super().__init__()
        self.path = path
        room = FROZEN_BYTES if any("weights" in part for part in parts) else BUILD_BYTES
        self.budget = 4 * stored_bytes + limit(room)
        self.spent = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Count what a function of torch is about to allocate."""
        arguments = kwargs or {}
        if func in _COUNTS:
            self.spent += _size(func, args, arguments)
            if self.spent > self.budget:
                expected = f"a spec of at most {self.budget:,} bytes, as its tensors suggest"
                raise CheckpointError("checkpoint", expected, f"one of more in {self.path}", remedy())
        return func(*args, **arguments)


def _size(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """Return the size in bytes of the tensor that a function makes."""
    dtype = kwargs.get("dtype") or torch.get_default_dtype()
    try:
        count = _COUNTS[func](*args, *(kwargs[name] for name in _NAMED if name in kwargs))
        return max(0, math.ceil(count)) * dtype.itemsize
    except (TypeError, ValueError, ArithmeticError, LookupError):  # the call itself will say what is wrong with it
        return 0
