"""Motion as a table: a row per frame, a column per number."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from ..core.interfaces.representation import Representation
from ..core.motion import Motion

AXES = {1: ("",), 2: ("_x", "_y"), 3: ("_x", "_y", "_z")}
"""What follows a point's name for each of its numbers; beyond three they are counted from 0."""


def columns(representation: Representation) -> list[str]:
    """``time`` and a name for each number of a flat frame."""
    dims = representation.dims
    endings = AXES.get(dims) or tuple(f"_{k}" for k in range(dims))
    return ["time", *(f"{name}{ending}" for name in representation.point_names for ending in endings)]


def write_csv(motion: Motion, representation: Representation, path: Path) -> None:
    """Seconds to a billionth, then the numbers with all their digits: read as ``float32`` they are the same."""
    seconds = np.array([[float(stamp)] for stamp in motion.timestamps()])
    flat = motion.values.flatten(1).double().cpu().numpy()
    names = columns(representation)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow(names)
        np.savetxt(stream, np.concatenate([seconds, flat], axis=1), ["%.9f"] + ["%.9g"] * flat.shape[1], delimiter=",")
