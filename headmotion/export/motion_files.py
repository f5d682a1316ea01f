"""Motion in files of other programs, by the name of the file."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..controls.control import ControlContext
from ..core.errors import MotionError
from ..core.files import atomic_output
from ..core.interfaces.representation import Representation
from ..core.motion import Motion
from ..representations.bvh import write_bvh
from .formats import format_of
from .gltf import write_glb, write_gltf
from .live_link import write_live_link
from .motion_page import write_html
from .mouth_shapes import write_vtt

Writer = Callable[[Motion, Representation, Path], object]
"""Writes a motion that has frames and finite values; what it leaves behind if it fails is removed."""

AXES = {1: ("",), 2: ("_x", "_y"), 3: ("_x", "_y", "_z")}
"""Endings of a point's name for each of its numbers; beyond three numbers they are counted from 0."""


def write_csv(motion: Motion, representation: Representation, path: Path) -> None:
    """Write a table with a row per frame: the time, then every number of the frame.

    Times are in seconds with nine decimals. Numbers have all digits that ``float32`` needs, so they are read back
    exactly.
    """
    dims = representation.dims
    endings = AXES.get(dims) or tuple(f"_{k}" for k in range(dims))
    names = ["time", *(f"{name}{ending}" for name in representation.point_names for ending in endings)]
    seconds = np.array([[float(stamp)] for stamp in motion.timestamps()])
    flat = motion.values.flatten(1).double().cpu().numpy()
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(names)
        np.savetxt(stream, np.concatenate([seconds, flat], axis=1), ["%.9f"] + ["%.9g"] * flat.shape[1], delimiter=",")


WRITERS: dict[str, Writer] = {
    "npz": lambda motion, _, path: motion.save(path),
    "json": lambda motion, _, path: motion.save(path),
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
            format cannot hold, or a package that it needs is not installed.
    """
    target = Path(path)
    chosen = format_of(target, format)
    with atomic_output(target) as temporary:
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
