"""Export of motion to files of other programs, and of a pipeline's streaming step to ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.hookspecs import hookimpl
from ..core.lazy import lazy_names
from .formats import SUFFIXES

if TYPE_CHECKING:
    from ..core.motion import Motion
    from .motion_files import write_motion as write_motion
    from .onnx_initial_state import write_start as write_start
    from .onnx_model import write_onnx as write_onnx

__all__ = ["write_motion", "write_onnx", "write_start"]


@hookimpl
def headmotion_motion_readers() -> Mapping[str, Callable[[Path], Motion]]:
    """Return the readers of those of these files that hold a whole motion."""
    return {".csv": _read_csv}


@hookimpl
def headmotion_motion_writers() -> Mapping[str, Callable[[Motion, Path], object]]:
    """Return the writers of files for other programs."""
    formats = {suffix: name for name, suffix in reversed(SUFFIXES.items()) if name not in ("npz", "json")}
    return {suffix: partial(_write_as, name) for suffix, name in formats.items()}


def _write_as(format: str, motion: Motion, path: Path) -> None:
    from .motion_files import write_as  # imports torch, which listing the plugins need not do

    write_as(format, motion, path)


def _read_csv(path: Path) -> Motion:
    from .csv_table import read_csv  # as above

    return read_csv(path)


__getattr__, __dir__ = lazy_names(
    __name__, {"write_motion": "motion_files", "write_onnx": "onnx_model", "write_start": "onnx_initial_state"}
)
