"""Motion as a plain table, written and read: a row per frame, the time, then every number of the frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.errors import MotionError, SpecError
from ..core.files import read_regular, reason_of
from ..core.interfaces.representation import Representation, UnitSquare
from ..core.interfaces.specs import resolve_spec
from ..core.limits import TEXT_BYTES, limit
from ..core.motion import Motion
from ..core.plugins import registry
from ..core.short_repr import short_repr
from ..core.timing import as_fps, simplest_fraction

Row = tuple[int, str]
"""Number of a line, and its text."""
TIME = "time"
"""Name of the first column."""
AXES = {1: ("",), 2: ("_x", "_y"), 3: ("_x", "_y", "_z")}
"""Endings of a point's name for each of its numbers; beyond three numbers they are counted from 0."""
SMALLEST_PX = 4.0
"""A motion that stays within less than this is in the unit frame: no picture of a face is so small."""
DEFAULT_FPS = Fraction(25)
"""Rate of a table with one frame, whose time says nothing."""


def write_csv(motion: Motion, representation: Representation, path: Path) -> None:
    """Write a table with a row per frame: the time, then every number of the frame.

    Times are in seconds with nine decimals. Numbers have all digits that ``float32`` needs, so they are read back
    exactly.
    """
    seconds = np.array([[float(stamp)] for stamp in motion.timestamps()])
    flat = motion.values.flatten(1).double().cpu().numpy()
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerow([TIME, *column_names(representation)])
        np.savetxt(stream, np.concatenate([seconds, flat], axis=1), ["%.9f"] + ["%.9g"] * flat.shape[1], delimiter=",")


def read_csv(path: Path) -> Motion:
    """Read a table of `write_csv`: values, rate, and the representation, which the names of its columns state.

    Units are those of the unit frame if the values stay within a few units, else pixels.

    Raises:
        MotionError: no such file, or not such a table; names that belong to no representation, as those of a skeleton,
            whose bones a table does not have.
    """
    name = f"csv {path}"
    header, rows = _content(path, name)
    if header[:1] != [TIME]:
        remedy = "a table of Live Link Face is for other programs only" if header[:1] == ["Timecode"] else ""
        if header and header[0][len(TIME) : len(TIME) + 1] in (";", "\t"):
            remedy = "separate columns by commas"
        raise MotionError(name, f"a first column {TIME!r}", short_repr(header[0] if header else ""), remedy)
    if len(set(header)) < len(header):
        double = next(column for k, column in enumerate(header) if column in header[:k])
        raise MotionError(name, "a name of its own for each column", f"{short_repr(double)} twice")
    representation = _representation_of(header[1:], name)
    table = _numbers(rows, len(header), name)
    fps = _rate(rows, name)
    values = torch.from_numpy(table[:, 1:].astype(np.float32)).view(len(table), representation.points, -1)
    positions = values[..., :2]
    is_unit = float(positions.max() - positions.min()) < SMALLEST_PX
    return Motion(
        values,
        fps,
        representation.spec.model_dump(mode="json"),
        frame=UnitSquare(0.5, 0.5, 1.0) if is_unit else None,
        units="unit" if is_unit else "px",
        provenance={"source": path.name},
    )


def column_names(representation: Representation) -> list[str]:
    """Return the names of all numbers of a pose, such as ``nose_tip_x``."""
    endings = AXES.get(representation.dims) or tuple(f"_{k}" for k in range(representation.dims))
    return [f"{name}{ending}" for name in representation.point_names for ending in endings]


def _content(path: Path, name: str) -> tuple[list[str], list[Row]]:
    """Return the names of the columns, and the rows below them, of which empty ones are left out."""
    try:
        stream = io.StringIO(read_regular(path, limit(TEXT_BYTES)).decode("utf-8-sig"), newline="")
        header = next(csv.reader(stream, strict=True), [])
    except FileNotFoundError:
        raise MotionError(name, "an existing file", "none") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MotionError(name, "a table of text", reason_of(error)) from None
    return header, [(line, row) for line, row in enumerate(stream.read().splitlines(), 2) if row.strip()]


def _representation_of(columns: Sequence[str], name: str) -> Representation:
    """Return the first representation, headmotion's own before those of plugins, whose poses have these columns."""
    for candidate in _candidates(len(columns)):
        if column_names(candidate) == columns:
            return candidate
    expected = "columns that name the points of a representation, such as landmarks68"
    remedy = "save the motion as .npz or .json, which hold all of it"
    got = f"{len(columns)} columns such as {columns[-1:]}"
    raise MotionError(name, expected, got, remedy)


def _candidates(columns: int) -> Iterator[Representation]:
    variants: list[dict[str, Any]] = [{}, {"dims": 2}, {"dims": 3}]
    variants += [{"points": columns // 2}, {"points": columns // 6, "jacobians": True}]
    types = [type_name for kind, type_name in registry().specs if kind == "representation"]
    for fields in variants:
        for type_name in types:
            try:
                yield resolve_spec("representation", {"type": type_name, **fields}).build()
            except SpecError:  # it has no such field, or needs more than that
                continue


def _numbers(rows: Sequence[Row], columns: int, name: str) -> NDArray[np.float64]:
    """Return the numbers ``[T, columns]`` of rows."""
    if not rows:
        raise MotionError(name, "at least one frame", "none")
    parsed = []
    for line, row in rows:
        cells = row.split(",")
        try:
            numbers = [float(cell) for cell in cells]
        except ValueError:
            column, cell = next((k, cell) for k, cell in enumerate(cells, 1) if not _is_number(cell))
            remedy = "separate numbers by commas, and write them with a point" if ";" in row or "\t" in row else ""
            got = f"{short_repr(cell)} in column {column}"
            raise MotionError(name, f"{columns} numbers in line {line}", got, remedy) from None
        if len(numbers) != columns:
            raise MotionError(name, f"{columns} numbers in line {line}", f"{len(numbers)}")
        parsed.append(numbers)
    table = np.array(parsed, np.float64)
    # NaN compares with nothing, so this finds it too.
    if not (fits := (np.abs(table) <= np.finfo(np.float32).max).all(axis=1)).all():
        expected = f"finite numbers in line {rows[int(fits.argmin())][0]}"
        raise MotionError(name, expected, "NaN, infinity, or one beyond single precision")
    return table


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _rate(rows: Sequence[Row], name: str) -> Fraction:
    """Return the simplest rate at which the frames have these times, each rounded to its last digit."""
    if len(rows) == 1:
        return DEFAULT_FPS
    times = [row.partition(",")[0].strip() for _, row in rows]
    half = 0.5 * 10.0 ** -max(len(time.partition(".")[2]) for time in times)
    index, seconds = np.arange(1, len(times)), np.array(times[1:], np.float64)
    slack = half + 1e-15 * seconds  # of double precision
    # The rates that all frames up to each one allow; a time below 0 allows none.
    low = np.maximum.accumulate(index / np.maximum(seconds + slack, 1e-12))
    high = np.minimum.accumulate(index / np.maximum(seconds - slack, 1e-9))
    fits = [abs(float(times[0])) <= half, *(low <= high)]
    if not all(fits):
        wrong = fits.index(False)
        after = f" after {times[wrong - 1]} in line {rows[wrong - 1][0]}" if wrong else ""
        got = f"{times[wrong]} in line {rows[wrong][0]}{after}"
        raise MotionError(name, "times from 0 on, at one rate", got, "write a row for every frame, in order")
    try:
        return as_fps(str(simplest_fraction(Fraction(low[-1]), Fraction(high[-1]))))
    except MotionError as error:
        raise MotionError(name, f"times of a rate of {error.expected}", f"{float(high[-1]):g} per second") from None
