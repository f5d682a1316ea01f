"""Arrays from ``.npz`` files of any origin: nothing in them is executed, and their size is bounded."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_BYTES = 1 << 30
"""Largest size of an array in memory; a larger one is refused before it is read (bytes)."""


def read_arrays(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """Read those arrays of an ``.npz`` file that are among ``names``; others are not touched.

    Args:
        path: the file.
        names: names without ``.npy``; those that the file lacks are left out.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not an ``.npz``, it is damaged, or an array is pickled or larger than `MAX_BYTES`.
    """
    with path.open("rb") as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's about headers that Python 2 wrote
        try:
            with zipfile.ZipFile(stream) as archive:
                present = set(archive.namelist())
                return {name: _member(archive, f"{name}.npy") for name in names if f"{name}.npy" in present}
        except Exception as error:  # a damaged archive fails in zipfile, zlib, struct, ast, tokenize or NumPy
            raise ValueError(" ".join(f"{type(error).__name__}: {error}".split())[:120]) from None


def read_shape(path: Path, name: str) -> tuple[int, ...]:
    """Read the shape of one array of an ``.npz`` file, and not the array.

    Args:
        path: the file.
        name: name without ``.npy``.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not an ``.npz``, it is damaged, or it has no such array.
    """
    with path.open("rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive, archive.open(f"{name}.npy") as member:
                version = np.lib.format.read_magic(member)
                read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
                return read_header[version[0]](member)[0]
        except Exception as error:  # as above
            raise ValueError(" ".join(f"{type(error).__name__}: {error}".split())[:120]) from None


def as_float32(values: ArrayLike) -> NDArray[np.float32]:
    """Convert real numbers to ``float32``; those beyond its range become infinite.

    Raises:
        ValueError: words, dates, objects, or rows of different lengths.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"values of type {array.dtype}")
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    # Checked before reading, because a few kilobytes can unpack to terabytes.
    size = archive.getinfo(name).file_size
    if size > MAX_BYTES:
        raise ValueError(f"{size:,} bytes in {name}")
    with archive.open(name) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
