"""A budget for tensors while parts are built from a spec that came with a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from .errors import CheckpointError
from .limits import BUILD_BYTES, FROZEN_BYTES, limit, remedy

_FACTORIES = frozenset(
    [
        *(torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.eye, torch.arange),
        *(torch.linspace, torch.empty_strided, torch.randint, torch.randperm),
        *(torch.Tensor.new_empty, torch.Tensor.new_zeros, torch.Tensor.new_ones, torch.Tensor.new_full),
    ]
)


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
        if func in _FACTORIES:
            self.spent += _size(func, args, arguments)
            if self.spent > self.budget:
                expected = f"a spec of at most {self.budget:,} bytes, as its tensors suggest"
                raise CheckpointError("checkpoint", expected, f"one of more in {self.path}", remedy())
        return func(*args, **arguments)


def _size(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    shape_only = {name: value for name, value in kwargs.items() if name not in ("generator", "out", "pin_memory")}
    try:
        tensor = func(*args, **(shape_only | {"device": "meta"}))
    except (RuntimeError, TypeError, OverflowError):  # the call itself will say what is wrong with it
        return 0
    return int(tensor.numel() * tensor.element_size())
