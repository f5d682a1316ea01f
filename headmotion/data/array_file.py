"""Arrays in a safetensors file, written piece by piece, and read through a memory map without being copied.

The package safetensors reads and writes the same files, but takes a whole file into memory.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "U8": np.dtype("u1"),
}
"""The types that corpora use, by their names in a file; the largest first, so that all arrays are aligned."""
MAX_HEADER_BYTES = 1 << 20
"""A longer header is damaged: it is checked before any memory is taken."""


def write_arrays(path: Path, arrays: Mapping[str, Sequence[Array]]) -> tuple[int, str]:
    """Write arrays, each of which is given in one or more parts that are joined along the first axis.

    Args:
        path: the new file.
        arrays: parts by name, of the `DTYPES`.

    Returns:
        Size in bytes and SHA-256 of the file, which is the same for the same arrays.
    """
    names = {dtype: name for name, dtype in DTYPES.items()}
    order = list(names)
    arranged = sorted(arrays.items(), key=lambda item: (order.index(item[1][0].dtype), item[0]))
    header, position = {}, 0
    for name, parts in arranged:
        shape = (sum(len(part) for part in parts), *parts[0].shape[1:])
        end = position + sum(part.nbytes for part in parts)
        header[name] = {"dtype": names[parts[0].dtype], "shape": shape, "data_offsets": (position, end)}
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data begins at a multiple of 8, as the format demands
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as stream:
        head = np.frombuffer(len(text).to_bytes(8, "little") + text, np.uint8)
        for part in (head, *(part for _, parts in arranged for part in parts)):
            content = np.ascontiguousarray(part).reshape(-1).view(np.uint8).data
            stream.write(content)
            digest.update(content)
            size += content.nbytes
    return size, digest.hexdigest()


def map_arrays(path: Path) -> dict[str, Array]:
    """Map the arrays of a file; they cannot be written to, and take memory only where they are read.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such file, or it is damaged.
    """
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(size - 8, MAX_HEADER_BYTES):
            raise ValueError("no header of a safetensors file")
        header = json.loads(stream.read(length))
        content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return {name: _view(content, 8 + length, **entry) for name, entry in header.items() if name != "__metadata__"}
    except (AttributeError, KeyError, TypeError, OverflowError):
        raise ValueError("a header that does not describe arrays") from None


def _view(content: mmap.mmap, start: int, dtype: str, shape: list[int], data_offsets: list[int]) -> Array:
    """Return the array at ``data_offsets`` after ``start``."""
    first, last = data_offsets
    type, count = DTYPES[dtype], math.prod(shape)
    fits = 0 <= first <= last <= len(content) - start and all(isinstance(edge, int) and edge >= 0 for edge in shape)
    if not fits or last - first != count * type.itemsize:
        raise ValueError(f"an array {dtype} {shape} at {data_offsets} of {len(content) - start} bytes")
    if not count:
        return np.zeros(shape, type)
    return np.frombuffer(content, type, count, start + first).reshape(shape)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, which is read in parts."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
