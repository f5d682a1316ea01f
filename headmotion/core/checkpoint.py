"""Checkpoints: one ``.safetensors`` file with weights and the spec they belong to. Reading one executes nothing.

The single metadata key ``headmotion`` holds JSON with sorted keys, so the same content always gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checkpoint_header import FORMAT as FORMAT
from .checkpoint_header import KEY as KEY
from .checkpoint_header import CheckpointHeader as CheckpointHeader
from .checkpoint_header import TensorInfo as TensorInfo
from .checkpoint_header import damaged
from .checkpoint_header import read_header as read_header
from .errors import CheckpointError
from .files import atomic_output, read_regular
from .plugins import OWN_DISTRIBUTION
from .stored_spec import distribution_of, migrated, require_plugins, stored_parts, without_downloads

if TYPE_CHECKING:
    from torch import Tensor

    from .build_budget import BuildBudget


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
    distributions = sorted({distribution_of(part["type"]) for part in stored_parts(spec)} | {OWN_DISTRIBUTION})
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
        raise damaged(source, str(error)) from None
    require_plugins(header.spec, source)
    written_by = {required["dist"]: required["version"] for required in header.requires}
    return replace(header, spec=without_downloads(migrated(header.spec, written_by))), tensors


def budget_for(path: Path, header: CheckpointHeader) -> BuildBudget:
    """Return the context in which the parts of a checkpoint's spec are built; see `BuildBudget`."""
    from .build_budget import BuildBudget

    return BuildBudget(path, header.size, stored_parts(header.spec))


def _version(dist: str) -> str:
    try:
        return version(dist)
    except PackageNotFoundError:
        return ""


def _digest(content: bytes) -> str:
    """Return the SHA-256 of the tensor data, which follows the eight bytes of the header's length and the header."""
    return hashlib.sha256(memoryview(content)[8 + int.from_bytes(content[:8], "little") :]).hexdigest()
