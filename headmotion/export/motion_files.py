"""Motion in files of other programs, by the name of the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch

from ..controls.control import ControlContext
from ..core.arguments import as_path
from ..core.errors import MotionError
from ..core.interfaces.representation import Representation
from ..core.motion import Motion
from ..core.motion_file import motion_output, write_json, write_npz
from ..representations.bvh import write_bvh
from .csv_table import write_csv
from .formats import format_of
from .gltf import write_glb, write_gltf
from .live_link import write_live_link
from .motion_page import write_html
from .mouth_shapes import write_vtt

Writer = Callable[[Motion, Representation, Path], object]
"""Writes a motion that has frames and finite values; what it leaves behind if it fails is removed."""

WRITERS: dict[str, Writer] = {
    "npz": lambda motion, _, path: write_npz(motion, path),
    "json": lambda motion, _, path: write_json(motion, path),
    "csv": write_csv,
    "live-link": write_live_link,
    "bvh": lambda motion, _, path: write_bvh(motion, path),
    "glb": write_glb,
    "gltf": write_gltf,
    "vtt": write_vtt,
    "html": write_html,
}


def write_motion(motion: Motion, path: str | os.PathLike[str], format: str | None = None) -> Path:
    """Write a motion for another program; the file appears complete or not at all.

    Args:
        motion: at least one frame of finite numbers.
        path: the file.
        format: a name among `formats.SUFFIXES`, such as ``live-link``, which shares ``.csv`` with the plain table; None
            takes the suffix.

    Raises:
        MotionError: an unknown suffix or format, no frames, numbers that are not finite, a representation that the
            format cannot hold, a package that it needs is not installed, or a file that cannot be written.
    """
    target = as_path(path, "export", MotionError)
    chosen = format_of(target, format)
    with motion_output(target, "export") as temporary:
        write_as(chosen, motion, temporary)
    return target


def write_as(format: str, motion: Motion, path: Path) -> None:
    """Write a motion in a format of `formats.SUFFIXES`.

    Raises:
        MotionError: see `write_motion`.
    """
    if not len(motion):
        raise MotionError("export", "a motion with frames", "none")
    # Checks that the values fit the representation, and finds the resting pose.
    context = ControlContext.from_motion(motion)
    if not all(bool(torch.isfinite(values).all()) for values in (motion.values, context.resting_pose)):
        raise MotionError("export", "finite numbers", "NaN or infinity")
    WRITERS[format](motion, context.representation, path)
