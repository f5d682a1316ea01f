"""Devices by name."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .errors import HeadmotionError
from .short_repr import shown

ACCELERATORS = ("cuda", "mps")
"""Kinds of accelerators, the best first."""


def pick_device(
    name: str | torch.device,
    component: str = "device",
    error: type[HeadmotionError] = HeadmotionError,
    usable: Sequence[str] = ACCELERATORS,
) -> torch.device:
    """Return a device by its name; ``auto`` is CUDA, then MPS, then the CPU.

    Args:
        name: ``auto``, or a device.
        component: who asks, for the error.
        error: type of the error.
        usable: accelerators that ``auto`` may be.

    Raises:
        HeadmotionError: not a device of this machine.
    """
    if not isinstance(name, str | torch.device):
        raise error(component, "a device's name, such as 'auto' or 'cpu'", shown(name))
    available = [kind for kind in ACCELERATORS if _is_there(kind)]
    if name == "auto":
        name = next((kind for kind in available if kind in usable), "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device).item()  # a name can be valid without such a device in the machine
    except (RuntimeError, AssertionError, NotImplementedError):
        expected = f"a device of this machine: {', '.join(['auto', 'cpu', *available])}"
        kind = str(name).partition(":")[0]
        is_missing = kind in ACCELERATORS and kind not in available
        remedy = f"torch {torch.__version__} finds no {kind} device here" if is_missing else ""
        raise error(component, expected, repr(str(name)), remedy) from None
    return device


def _is_there(kind: str) -> bool:
    return torch.cuda.is_available() if kind == "cuda" else torch.backends.mps.is_available()
