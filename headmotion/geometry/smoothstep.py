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
def smoothstep(value: npt.ArrayLike) -> npt.NDArray[np.floating[Any]]: ...


def smoothstep(value: Tensor | npt.ArrayLike) -> Tensor | npt.NDArray[np.floating[Any]]:
    """Return 0 where ``value`` is at most 0, 1 where it is at least 1, and ``t^2 (3 - 2 t)`` between.

    The slope is 0 at both ends. Shape and floating-point type are those of ``value``.
    """
    t = value.clamp(0, 1) if isinstance(value, torch.Tensor) else np.minimum(np.maximum(value, 0), 1)
    return t * t * (3 - 2 * t)
