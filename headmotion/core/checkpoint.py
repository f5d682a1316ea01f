"""Checkpoints: one ``.safetensors`` file with weights and the spec they belong to. Reading one executes nothing.

The single metadata key ``headmotion`` holds JSON with sorted keys, so the same content always gives the same bytes.
`read_header` needs neither torch nor any plugin.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .errors import CheckpointError, PluginError
from .files import atomic_output, open_regular, read_regular
from .plugins import OWN_DISTRIBUTION, registry

if TYPE_CHECKING:
    from torch import Tensor

    from .build_budget import BuildBudget

FORMAT = 1
"""Format of the metadata that this version writes, and the newest that it reads."""
KEY = "headmotion"
"""Key of the metadata."""
MAX_NESTING = 64
"""Levels of the metadata's JSON; deeper nesting is damage, and Python would run out of stack in handling it."""


@dataclass(frozen=True)
class TensorInfo:
    """Type and shape of one tensor; ``dtype`` as safetensors writes it (``F32`` ...)."""

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


def save_checkpoint(
    path: str | os.PathLike[str],
    spec: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    step: int = 0,
    card: Mapping[str, Any] | None = None,
) -> Path:
    """Write a checkpoint; it appears whole or not at all. The same content gives the same bytes.

    Args:
        path: a name ending in ``.safetensors``.
        spec: JSON values; every dict in it with a ``type`` is the spec of a part.
        tensors: tensors by name, on any device; those that share memory are written separately.
        step: number of training steps of the weights.
        card: facts about the model as JSON values.

    Returns:
        The path.

    Raises:
        CheckpointError: another suffix, or values that JSON cannot hold.
    """
    import torch
    from safetensors.torch import save

    target = Path(path)
    if target.suffix != ".safetensors":
        raise CheckpointError("checkpoint", "a name ending in .safetensors", target.name)
    # safetensors refuses tensors that share memory or are not contiguous.
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    distributions = sorted({_distribution(part["type"]) for part in _parts(spec)} | {OWN_DISTRIBUTION})
    metadata = {
        "format": FORMAT,
        "spec": spec,
        "requires": [{"dist": dist, "version": _version(dist)} for dist in distributions],
        "versions": {"torch": str(torch.__version__)},
        "step": step,
        # Of the tensors only, because the digest is itself part of the file.
        "sha256": _digest(save(copies)),
        "card": card or {},
    }
    try:
        text = json.dumps(metadata, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise CheckpointError("checkpoint", "a spec and a card of JSON values", str(error)) from None
    with atomic_output(target) as temporary:
        temporary.write_bytes(save(copies, {KEY: text}))
    return target


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


def load_checkpoint(path: str | os.PathLike[str]) -> tuple[CheckpointHeader, dict[str, Tensor]]:
    """Read header and tensors of a checkpoint; its plugins' migrations bring the spec up to date.

    No stored spec asks for a download: the field ``fetch`` of every part becomes False.

    Raises:
        CheckpointError: as `read_header`, or the tensors do not match their SHA-256, or a plugin is missing.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    source = Path(path)
    header = read_header(source)
    # Read once, so that the tensors come from the very bytes whose digest was checked.
    content = read_regular(source)
    if _digest(content) != header.sha256:
        raise CheckpointError(
            "checkpoint", "tensors that match their sha256", f"other data in {source}", "copy it anew"
        )
    try:
        tensors: dict[str, Tensor] = load(content)
    except SafetensorError as error:
        raise _damaged(source, str(error)) from None
    for part in _parts(header.spec):
        namespace, slash, _ = part["type"].rpartition("/")
        if slash and (remedy := registry().absent(namespace)):
            raise CheckpointError("checkpoint", f"the plugin of {part['type']!r}, which {source} needs", "none", remedy)
    written_by = {required["dist"]: required["version"] for required in header.requires}
    return replace(header, spec=_without_downloads(_migrated(header.spec, written_by))), tensors


def _parse(stream: BinaryIO, size: int, path: Path) -> CheckpointHeader:
    # A safetensors file starts with the length of its header, eight bytes, and the header with a brace.
    start = stream.read(9)
    length = int.from_bytes(start[:8], "little")
    if start[8:] != b"{" or length > size - 8:
        if _holds_arrays(stream):
            raise CheckpointError(
                "checkpoint", "a .safetensors file", f"{path}, an .npz, which holds a motion or a pose"
            )
        if _is_pickle(start):
            raise CheckpointError("checkpoint", "a .safetensors file", f"{path}, a pickle", "it will not be opened")
        if path.suffix != ".safetensors":
            raise CheckpointError("checkpoint", "a .safetensors file", f"{path}, which is none")
        raise _damaged(path, "no whole safetensors header")
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
        raise _damaged(path, "a header that cannot be read") from None
    if announced != size:
        raise _damaged(path, f"{size} bytes where {announced} are announced")
    # No type of tensor has less than one bit per value.
    if any(min(info.shape, default=0) < 0 or math.prod(info.shape) > 8 * size for info in tensors.values()):
        raise _damaged(path, "a tensor larger than the file")
    if stored is None:
        raise CheckpointError(
            "checkpoint", f"the metadata key {KEY!r}", f"none in {path}", "was headmotion its writer?"
        )
    return _header(stored, tensors, size, path)


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
        raise _damaged(path, "incomplete metadata") from None


def _migrated(value: Any, written_by: Mapping[str, str]) -> Any:
    """Return a stored spec after passing every part, innermost first, to its own plugin's migration once."""
    if isinstance(value, list):
        return [_migrated(item, written_by) for item in value]
    if not isinstance(value, dict):
        return value
    # Inner parts first, so that a plugin's migration gets the parts of other plugins up to date.
    spec = {key: _migrated(item, written_by) for key, item in value.items()}
    if not isinstance(spec.get("type"), str):
        return spec
    namespace = spec["type"].rpartition("/")[0]
    stored_version = written_by.get(_distribution(spec["type"]), "")
    for record in registry().records:
        owns = record.name == namespace if namespace else record.dist == OWN_DISTRIBUTION
        if owns and record.status == "ok":
            arguments = {"spec": dict(spec), "version": stored_version}
            try:
                migrated = registry().call(record.name, "headmotion_migrate", **arguments) or spec
            except PluginError as error:
                raise CheckpointError(f"plugin {record.name}", f"to migrate {spec['type']!r}", error.got) from error
            if not isinstance(migrated, dict):
                got = f"a {type(migrated).__name__}"
                raise CheckpointError(f"plugin {record.name}", f"a dict from migrating {spec['type']!r}", got)
            spec = migrated
    return spec


def _without_downloads(value: Any) -> Any:
    """Return a stored spec in which no part has ``fetch`` set: only the user of this call may ask for a download."""
    if isinstance(value, list):
        return [_without_downloads(item) for item in value]
    if not isinstance(value, dict):
        return value
    spec = {key: _without_downloads(item) for key, item in value.items()}
    return spec | {"fetch": False} if "fetch" in spec and isinstance(spec.get("type"), str) else spec


def budget_for(path: Path, header: CheckpointHeader) -> BuildBudget:
    """Return the context in which the parts of a checkpoint's spec are built; see `BuildBudget`."""
    from .build_budget import BuildBudget

    return BuildBudget(path, header.size, _parts(header.spec))


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every dict with a ``type`` inside JSON values."""
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)


def _distribution(type_name: str) -> str:
    """Return the distribution that owns a type; registration enforces the name."""
    namespace, slash, _ = type_name.rpartition("/")
    return f"{OWN_DISTRIBUTION}-{namespace}" if slash else OWN_DISTRIBUTION


def _version(dist: str) -> str:
    try:
        return version(dist)
    except PackageNotFoundError:
        return ""


def _digest(content: bytes) -> str:
    """Return the SHA-256 of the tensor data, which follows the eight bytes of the header's length and the header."""
    return hashlib.sha256(memoryview(content)[8 + int.from_bytes(content[:8], "little") :]).hexdigest()


def _damaged(path: Path, got: str) -> CheckpointError:
    return CheckpointError("checkpoint", "a whole .safetensors file", f"{got} in {path}", "it may have been cut short")
