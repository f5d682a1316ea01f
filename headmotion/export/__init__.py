"""Export: motion in the files of other programs, and a pipeline's streaming step as ONNX."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .motion_files import write_motion as write_motion
    from .onnx_initial_state import write_start as write_start
    from .onnx_model import write_onnx as write_onnx

_HOME_OF = {"write_motion": "motion_files", "write_onnx": "onnx_model", "write_start": "onnx_initial_state"}

__all__ = ["write_motion", "write_onnx", "write_start"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
