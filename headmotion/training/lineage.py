"""Lineage: what the card of a model says of the models that it was made from, and of what they were trained on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.checkpoint import CheckpointHeader
from ..core.plugins import registry

KEY = "from"
"""Key of the card."""


def lineage_of(source: str | os.PathLike[str], path: Path, header: CheckpointHeader) -> list[dict[str, Any]]:
    """Return facts about a model, and after it about those that it was made from, for the card of what is made of it.

    Each has ``name``, ``sha256`` of the tensors, ``step``, the ``license`` of a bundled model, whether its weights may
    be given away (``distribute``), and ``licenses`` and ``sources`` of its training data. Cards that do not say whether
    weights may be given away count as forbidding it, unless their recipe took distributable clips only.

    Args:
        source: a bundled name or the file.
        path: the file.
        header: of the file.
    """
    card, bundled = header.card, os.fspath(source) in registry().models
    only_distributable = _nested(card, "recipe", "data", "distributable_only")
    own = {
        # Of a file not its path, which tells of the machine that it lies on.
        "name": os.fspath(source) if bundled else str(card.get("name") or path.stem),
        "sha256": header.sha256,
        "step": header.step,
        "license": _license_of(os.fspath(source), path) if bundled else "",
        "distribute": bool(card.get("distribute", only_distributable)),
        "licenses": card.get("licenses", []),
        "sources": card.get("sources", []),
    }
    earlier = card.get(KEY)
    return [own, *(entry for entry in (earlier if isinstance(earlier, list) else ()) if isinstance(entry, dict))]


def _license_of(name: str, path: Path) -> str:
    """Return the license of a bundled model, which its plugin states; empty if it does not."""
    owners = [record.name for record in registry().records if name in record.models]
    assets = [asset for owner in owners for asset in registry().assets.get(owner, ())]
    return next((asset.license for asset in assets if asset.name.endswith(path.name)), "")


def _nested(values: Any, *keys: str) -> Any:
    """Return a value inside JSON values; None where a key is missing."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values
