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

from ..core.files import reason_of

KEY = "headmotion"


class RunPosition(NamedTuple):
    """Where a run stands; a new run has no phase."""

    phase: str = ""
    """Name of the phase."""
    step: int = 0
    """The next step."""
    logged: int = 0
    """Lines of the log by then."""
    seconds: float = 0.0
    """Time spent on the run by then."""
    recipe: Any = None
    """As JSON values."""
    start: dict[str, str] | None = None
    """Name and sha256 of the model that the run started from, if any."""
    clips: dict[str, int] | None = None
    """Number of clips that are trained on, and of frames in them; None in files from before it was kept."""


def serialize_state(position: RunPosition, tensors: Mapping[str, Tensor]) -> bytes:
    """Return the content of the file."""
    meta = position._asdict() | {"sha256": _digest(tensors)}
    # Not sorted by key, because phases have an order.
    return save(dict(tensors), {KEY: json.dumps(meta)})


def parse_state(content: bytes) -> tuple[RunPosition, dict[str, Tensor]]:
    """Return what `serialize_state` was given.

    Raises:
        ValueError: the content is damaged.
    """
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        meta = json.loads(header["__metadata__"][KEY])
        numbers = int(meta["step"]), int(meta["logged"]), float(meta["seconds"])
        start = meta.get("start") and {name: str(meta["start"][name]) for name in ("name", "sha256")}
        clips = meta.get("clips") and {name: int(meta["clips"][name]) for name in ("clips", "frames")}
        position = RunPosition(str(meta["phase"]), *numbers, meta["recipe"], start or None, clips or None)
        intact = meta.get("sha256") in (None, _digest(tensors))
    except (SafetensorError, LookupError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(reason_of(error)) from None
    if not intact:
        raise ValueError("a digest of other tensors")
    return position, tensors


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
