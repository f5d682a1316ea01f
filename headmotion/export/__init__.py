"""Export of motion to files of other programs, and of a pipeline's streaming step to ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import lazy_names

if TYPE_CHECKING:
    from .motion_files import write_motion as write_motion
    from .onnx_initial_state import write_start as write_start
    from .onnx_model import write_onnx as write_onnx

__all__ = ["write_motion", "write_onnx", "write_start"]

__getattr__, __dir__ = lazy_names(
    __name__, {"write_motion": "motion_files", "write_onnx": "onnx_model", "write_start": "onnx_initial_state"}
)
