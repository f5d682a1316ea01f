"""Array files are safetensors files, and what is damaged is found before any memory is taken."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from headmotion.data.array_file import MAX_HEADER_BYTES, file_digest, map_arrays, write_arrays

ARRAYS: dict[str, Any] = {
    "bytes": np.arange(7, dtype=np.uint8),
    "numbers": np.arange(6, dtype=np.float32).reshape(2, 3),
    "none": np.zeros((0, 4), np.float32),
    "big": np.arange(3, dtype=np.int64),
    "small": np.arange(5, dtype=np.int16),
}


def write(path: Path) -> Path:
    parts = {name: [values[:2], values[2:]] for name, values in ARRAYS.items()}
    size, digest = write_arrays(path, parts)
    content = path.read_bytes()
    assert (size, digest) == (len(content), hashlib.sha256(content).hexdigest()) and digest == file_digest(path)
    return path


def test_they_are_safetensors_files(tmp_path: Path) -> None:
    read = load_file(write(tmp_path / "a"))
    save_file(ARRAYS, tmp_path / "b", {"note": "of another program"})
    for arrays in (read, map_arrays(tmp_path / "a"), map_arrays(tmp_path / "b")):
        assert arrays.keys() == ARRAYS.keys()
        for name, values in ARRAYS.items():
            assert arrays[name].dtype == values.dtype and np.array_equal(arrays[name], values)
    with pytest.raises(ValueError, match="read-only"):
        map_arrays(tmp_path / "a")["big"][0] = 1


def test_all_arrays_are_aligned(tmp_path: Path) -> None:
    assert all(array.flags.aligned for array in map_arrays(write(tmp_path / "a")).values())


def claim(path: Path, **entry: object) -> None:
    """Write a file whose header claims an array."""
    header = json.dumps({"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} | entry}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))


@pytest.mark.parametrize(
    "entry",
    [
        {"shape": [10**15]},
        {"shape": [10**15], "data_offsets": [0, 4 * 10**15]},
        {"shape": [-4]},
        {"shape": [-2, -2]},
        {"shape": [4.0]},
        {"shape": 4},
        {"data_offsets": [8, 24]},
        {"data_offsets": [-16, 0]},
        {"data_offsets": [16, 0]},
        {"data_offsets": [0]},
        {"data_offsets": ["0", "16"]},
        {"dtype": "F16"},
        {"dtype": None},
        {"more": 1},
    ],
)
def test_a_header_that_lies(entry: dict[str, object], tmp_path: Path) -> None:
    claim(tmp_path / "a")
    assert map_arrays(tmp_path / "a")["x"].tolist() == [0, 0, 0, 0]
    claim(tmp_path / "a", **entry)
    with pytest.raises(ValueError):
        map_arrays(tmp_path / "a")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"abc",
        bytes(8),
        (2**63).to_bytes(8, "little") + b"{}",
        (MAX_HEADER_BYTES + 1).to_bytes(8, "little") + bytes(MAX_HEADER_BYTES + 9),
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{{",
        (7).to_bytes(8, "little") + b'{"x":1}',
        (2).to_bytes(8, "little") + b"\xff\xff",
    ],
)
def test_a_file_that_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError):
        map_arrays(tmp_path / "a")


def test_every_cut_and_many_flips(tmp_path: Path) -> None:
    content = write(tmp_path / "a").read_bytes()
    for length in range(len(content)):
        (tmp_path / "b").write_bytes(content[:length])
        with pytest.raises(ValueError):
            map_arrays(tmp_path / "b")
    rng = np.random.default_rng(0)
    for _ in range(300):
        changed = bytearray(content)
        changed[rng.integers(len(content))] ^= 1 << rng.integers(8)
        (tmp_path / "b").write_bytes(changed)
        try:
            arrays = map_arrays(tmp_path / "b")
        except ValueError:
            continue
        assert sum(array.nbytes for array in arrays.values()) <= len(content)
