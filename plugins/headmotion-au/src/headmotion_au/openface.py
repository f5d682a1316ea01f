"""OpenFace's CSV files: presence and intensity of action units (Baltrusaitis and others, OpenFace 2.0, 2018)."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import headmotion as hm

FULL_INTENSITY = 5.0
"""OpenFace's largest intensity, level E."""
MAX_LOST = 0.5
"""Largest share of frames without a face; between the others their units are interpolated."""
FACE = "face_id"
"""Column of the number of the face, if several were searched for."""


@dataclass(frozen=True, eq=False)
class OpenFaceUnits:
    """What a file says, frame by frame."""

    times: npt.NDArray[np.float64]
    """Seconds, ``[T]``, rising."""
    intensities: npt.NDArray[np.float32]
    """``[T, N]``, 0..1; a unit of which OpenFace only gives the presence has 0 and 1."""
    presence: npt.NDArray[np.float32]
    """``[T, N]``, 0 or 1."""

    def at(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Return the intensities ``[t, N]`` at other times (s), interpolated; at both ends the nearest."""
        columns = [np.interp(times, self.times, column) for column in self.intensities.T]
        return np.stack(columns, axis=1).astype(np.float32)


def read_openface(path: str | os.PathLike[str], units: Sequence[str]) -> OpenFaceUnits:
    """Read a CSV file of OpenFace's program FeatureExtraction.

    Args:
        path: the file, with the columns ``frame``, ``timestamp``, ``success``, and ``AU10_r`` and ``AU10_c`` or one of
            them for each unit.
        units: names of the units, such as ``AU10``.

    Raises:
        MotionError: no such file, a column or a number that is missing, several faces, or too few frames with a face.
    """
    rows = _read_rows(Path(path))
    _check_columns(Path(path), rows[0], units)
    detected = np.array([_number(path, row, "success") > 0 for row in rows])
    if detected.mean() < 1 - MAX_LOST:
        got = f"{detected.sum()} of {len(rows)}"
        raise hm.MotionError(f"OpenFace file {path}", "a face in at least half of the frames", got)
    faces = [row for row, success in zip(rows, detected, strict=True) if success]
    times = np.array([_number(path, row, "timestamp") for row in faces])
    if (np.diff(times) <= 0).any():
        raise hm.MotionError(f"OpenFace file {path}", "time stamps that rise", "some that do not", "give one face only")
    presence = np.array([[_presence(path, row, unit) for unit in units] for row in faces], np.float32)
    intensities = np.array([[_intensity(path, row, unit) for unit in units] for row in faces], np.float32)
    return OpenFaceUnits(times, intensities, presence)


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            # OpenFace puts a space behind each comma.
            rows = [{(key or "").strip(): value for key, value in row.items()} for row in csv.DictReader(stream)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise hm.MotionError(f"OpenFace file {path}", "a CSV file", str(error)) from None
    if not rows:
        raise hm.MotionError(f"OpenFace file {path}", "a header and at least one frame", "none")
    if len(ids := {row.get(FACE) for row in rows}) > 1:
        raise hm.MotionError(
            f"OpenFace file {path}", "one face", f"{len(ids)}", "run FeatureExtraction, not FaceLandmarkVidMulti"
        )
    return rows


def _check_columns(path: Path, row: dict[str, str], units: Sequence[str]) -> None:
    needed = [(name,) for name in ("timestamp", "success")] + [_columns(unit) for unit in units]
    if missing := [names for names in needed if not any(name in row for name in names)]:
        remedy = "run FeatureExtraction with -aus"
        raise hm.MotionError(f"OpenFace file {path}", f"the column {missing[0][0]}", f"{len(row)} others", remedy)


def _columns(unit: str) -> tuple[str, str]:
    """Return the columns of a unit's intensity and presence; OpenFace writes two digits."""
    number = int(unit.removeprefix("AU"))
    return f"AU{number:02d}_r", f"AU{number:02d}_c"


def _intensity(path: str | os.PathLike[str], row: dict[str, str], unit: str) -> float:
    column, other = _columns(unit)
    if column not in row:
        return _number(path, row, other)
    return min(1.0, max(0.0, _number(path, row, column) / FULL_INTENSITY))


def _presence(path: str | os.PathLike[str], row: dict[str, str], unit: str) -> float:
    other, column = _columns(unit)
    value = _number(path, row, column if column in row else other)
    return float(value >= 1)


def _number(path: str | os.PathLike[str], row: dict[str, str], column: str) -> float:
    text = row.get(column) or ""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        where = f"{text.strip()[:20]!r} in frame {(row.get('frame') or '?').strip()}"
        raise hm.MotionError(f"OpenFace file {path}", f"a number in the column {column}", where)
    return value
