"""The smoothstep curve, by which controls and renderers fade between two states."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@overload
def smoothstep(value: Tensor) -> Tensor: ...


@overload
def smoothstep(value: float) -> float: ...


@overload
def smoothstep(value: npt.NDArray[Any]) -> npt.NDArray[np.floating[Any]]: ...


def smoothstep(value: Tensor | float | npt.NDArray[Any]) -> Tensor | float | npt.NDArray[np.floating[Any]]:
    """Return 0 where ``value`` is at most 0, 1 where it is at least 1, and ``t^2 (3 - 2 t)`` between.

    The slope is 0 at both ends. Shape and floating-point type are those of ``value``.
    """
    if isinstance(value, float | int):
        t = min(max(value, 0.0), 1.0)
        return t * t * (3 - 2 * t)
    within = value.clamp(0, 1) if isinstance(value, torch.Tensor) else np.minimum(np.maximum(value, 0), 1)
    return within * within * (3 - 2 * within)
