"""Arrays from ``.npz`` files of any origin: nothing in them is executed, and their size is bounded."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .files import open_regular, reason_of
from .limits import ARRAY_BYTES, limit, remedy

HEADER_BYTES = 1 << 16
"""Longest header of an array; what NumPy writes for arrays of numbers has hundreds of bytes."""

OTHER_KINDS = {"b": "true and false", "c": "complex values", "S": "text", "U": "text", "M": "dates", "m": "times"}
"""What arrays hold that are not of real numbers, by NumPy's letter."""


def read_arrays(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """Read those arrays of an ``.npz`` file that are among ``names``; others are not touched.

    Args:
        path: the file.
        names: names without ``.npy``; those that the file lacks are left out.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not an ``.npz``, it is damaged, or an array is pickled or too large (see `limits`).
    """
    with open_regular(path) as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's about headers that Python 2 wrote
        try:
            with zipfile.ZipFile(stream) as archive:
                present = set(archive.namelist())
                return {name: _member(archive, f"{name}.npy") for name in names if f"{name}.npy" in present}
        except Exception as error:  # a damaged archive fails in zipfile, zlib, struct, ast, tokenize or NumPy
            raise ValueError(f"not an .npz that can be read ({reason_of(error)})") from None


def read_shape(path: Path, name: str) -> tuple[int, ...]:
    """Read the shape of one array of an ``.npz`` file, and not the array.

    Args:
        path: the file.
        name: name without ``.npy``.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not an ``.npz``, it is damaged, or it has no such array.
    """
    with open_regular(path) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return _shape_and_type(archive, f"{name}.npy")[0]
        except Exception as error:  # as above
            raise ValueError(f"not an .npz that can be read ({reason_of(error)})") from None


def as_float32(values: ArrayLike) -> NDArray[np.float32]:
    """Convert real numbers to ``float32``; those beyond its range become infinite.

    Raises:
        ValueError: words, dates, objects, or rows of different lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError("rows of different lengths") from None
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{OTHER_KINDS.get(array.dtype.kind, f'values of type {array.dtype}')} instead of numbers")
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    # Checked before reading, because a few kilobytes can unpack to terabytes, and bytes grow fourfold as float32.
    shape, dtype = _shape_and_type(archive, name)
    size = max(archive.getinfo(name).file_size, math.prod(shape) * max(dtype.itemsize, 4))
    if size > limit(ARRAY_BYTES):
        raise ValueError(f"{size:,} bytes in {name}; {remedy()}")
    with archive.open(name) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def _shape_and_type(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    with archive.open(name) as member:
        version, _ = np.lib.format.read_magic(member)
        read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[version]
        # NumPy reads a header whole before it looks at its length, of up to 4 GiB.
        length = member.read(2 if version == 1 else 4)
        if int.from_bytes(length, "little") > HEADER_BYTES:
            raise ValueError(f"a header of {int.from_bytes(length, 'little'):,} bytes in {name}")
        shape, _, dtype = read_header(io.BytesIO(length + member.read(int.from_bytes(length, "little"))))
        if dtype.hasobject:
            raise ValueError(f"objects instead of numbers in {name}, which are not unpickled")
        return shape, dtype
