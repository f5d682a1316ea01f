"""The header of a checkpoint, read without torch, without plugins and without its tensors."""

from __future__ import annotations

import json
import math
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .errors import CheckpointError
from .files import open_regular

FORMAT = 1
"""Format of the metadata that this version writes, and the newest that it reads."""
KEY = "headmotion"
"""Key of the metadata."""
MAX_NESTING = 64
"""Levels of the metadata's JSON; deeper nesting is damage, and Python would run out of stack in handling it."""


@dataclass(frozen=True)
class TensorInfo:
    """Type and shape of one tensor."""

    dtype: str
    """Type as safetensors names it, such as ``F32``."""
    shape: tuple[int, ...]
    """Length of each dimension."""


@dataclass(frozen=True)
class CheckpointHeader:
    """Header of a checkpoint."""

    format: int
    """Version of the file format."""
    spec: dict[str, Any]
    """The spec as JSON values."""
    requires: tuple[dict[str, str], ...]
    """Distributions that own the spec's types, each with ``dist`` and the ``version`` that wrote the file."""
    versions: dict[str, str]
    """Versions of other software that wrote the file, by name."""
    step: int
    """Number of training steps of the weights."""
    sha256: str
    """Hexadecimal digest of the tensor data, which is all bytes after the safetensors header."""
    card: dict[str, Any]
    """Facts about the model, such as its training data, time and commit."""
    tensors: dict[str, TensorInfo]
    """Type and shape by name."""
    size: int
    """Size of the file (bytes)."""

    @property
    def parameters(self) -> int:
        """Total number of values in all tensors."""
        return sum(math.prod(info.shape) for info in self.tensors.values())

    def summary(self) -> dict[str, Any]:
        """Return the header as JSON values, with the number of parameters."""
        return asdict(self) | {"parameters": self.parameters}


def read_header(path: str | os.PathLike[str]) -> CheckpointHeader:
    """Read the header of a checkpoint, without its tensors and without importing plugins or torch.

    Raises:
        CheckpointError: the file is missing, a pickle, damaged, cut short, not a headmotion checkpoint, or too new.
    """
    source = Path(path)
    try:
        with open_regular(source) as stream:
            return _parse(stream, source.stat().st_size, source)
    except OSError as error:
        raise CheckpointError("checkpoint", "a readable file", f"{source} ({error.strerror})") from None


def _parse(stream: BinaryIO, size: int, path: Path) -> CheckpointHeader:
    # A safetensors file starts with the length of its header, eight bytes, and the header with a brace.
    start = stream.read(9)
    length = int.from_bytes(start[:8], "little")
    if start[8:] != b"{" or length > size - 8:
        raise _other_file(stream, start, path)
    try:
        entries = json.loads(b"{" + stream.read(length - 1))
        text = entries.pop("__metadata__", {}).get(KEY)
        tensors = {name: TensorInfo(str(e["dtype"]), tuple(map(int, e["shape"]))) for name, e in entries.items()}
        end = max((e["data_offsets"][1] for e in entries.values()), default=0)
        # Limited, because a damaged offset may have thousands of digits, which an error would have to print.
        announced = 8 + length + min(int(end), 1 << 62)
        stored = None if text is None else json.loads(text)
        if _is_nested(stored, MAX_NESTING):
            raise ValueError
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        raise damaged(path, "a header that cannot be read") from None
    if announced != size:
        raise damaged(path, f"{size} bytes where {announced} are announced")
    # No type of tensor has less than one bit per value.
    if any(min(info.shape, default=0) < 0 or math.prod(info.shape) > 8 * size for info in tensors.values()):
        raise damaged(path, "a tensor larger than the file")
    if stored is None:
        raise CheckpointError(
            "checkpoint", f"the metadata key {KEY!r}", f"none in {path}", "was headmotion its writer?"
        )
    return _header(stored, tensors, size, path)


def _other_file(stream: BinaryIO, start: bytes, path: Path) -> CheckpointError:
    """Return the error for a file that does not begin as a checkpoint does; it says what the file seems to be."""
    remedy = ""
    if _holds_arrays(stream):
        got = f"{path}, an .npz, which holds a motion or a pose"
    elif _is_pickle(start):
        got, remedy = f"{path}, a pickle", "it will not be opened"
    elif path.suffix != ".safetensors":
        got = f"{path}, which is none"
    else:
        return damaged(path, "no whole safetensors header")
    return CheckpointError("checkpoint", "a .safetensors file", got, remedy)


def _holds_arrays(stream: BinaryIO) -> bool:
    """Return whether a file is a zip archive of NumPy arrays."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except Exception:  # a damaged archive raises errors of any type
        return False


def _is_pickle(start: bytes) -> bool:
    """Return whether the first nine bytes are those of a pickle, or of a zip archive, in which torch puts one."""
    # A safetensors file may begin with 0x80 too, but its header is at most 100 MB long, and a pickle ends in ".".
    huge = int.from_bytes(start[:8], "little") > 100_000_000
    return start[:4] == b"PK\x03\x04" or (start[:1] == b"\x80" and (huge or start.endswith(b".")))


def _is_nested(value: Any, levels: int) -> bool:
    """Return whether JSON values are nested more than ``levels`` deep."""
    layer = [value]  # level by level, because recursion is what the limit protects
    for _ in range(levels):
        containers = [item for item in layer if isinstance(item, dict | list)]
        layer = [item for parent in containers for item in (parent.values() if isinstance(parent, dict) else parent)]
    return bool(layer)


def _header(stored: Any, tensors: dict[str, TensorInfo], size: int, path: Path) -> CheckpointHeader:
    try:
        written = stored["format"]
        if isinstance(written, int) and written > FORMAT:
            newer = f"{path} of format {written}"
            raise CheckpointError("checkpoint", f"format {FORMAT} or older", newer, "update headmotion")
        return CheckpointHeader(
            format=int(written),
            spec=dict(stored["spec"]),
            requires=tuple({"dist": str(e["dist"]), "version": str(e["version"])} for e in stored["requires"]),
            versions=dict(stored["versions"]),
            step=int(stored["step"]),
            sha256=str(stored["sha256"]),
            card=dict(stored["card"]),
            tensors=tensors,
            size=size,
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        if isinstance(stored, dict) and {"phase", "logged"} <= stored.keys():
            got, remedy = f"{path}, the state of a training", "give the model.safetensors of that run"
            raise CheckpointError("checkpoint", "a model", got, remedy) from None
        raise damaged(path, "incomplete metadata") from None


def damaged(path: Path, got: str) -> CheckpointError:
    """Return the error for a file that is not whole, or not what was written."""
    return CheckpointError("checkpoint", "a whole .safetensors file", f"{got} in {path}", "it may have been cut short")
