"""The training state as one safetensors file: tensors, and JSON that says where the run stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

KEY = "headmotion"


class Position(NamedTuple):
    """Where a run stands; the phase of a new run is empty."""

    phase: str = ""
    step: int = 0
    """The next to take."""
    logged: int = 0
    """Lines of the log by then."""
    seconds: float = 0.0
    """Spent on the run by then."""
    recipe: Any = None
    """As JSON values."""


def packed(position: Position, tensors: Mapping[str, Tensor]) -> bytes:
    """The content of the file."""
    meta = position._asdict() | {"sha256": _digest(tensors)}
    return save(dict(tensors), {KEY: json.dumps(meta, sort_keys=True)})


def parse(content: bytes) -> tuple[Position, dict[str, Tensor]]:
    """What `packed` was given.

    Raises:
        ValueError: the content is damaged.
    """
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        meta = json.loads(header["__metadata__"][KEY])
        position = Position(
            str(meta["phase"]), int(meta["step"]), int(meta["logged"]), float(meta["seconds"]), meta["recipe"]
        )
        whole = meta.get("sha256") in (None, _digest(tensors))
    except (SafetensorError, LookupError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if not whole:
        raise ValueError("a digest of other tensors")
    return position, tensors


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
