"""What a corpus was made from, in a file next to it: so the same call, repeated, finds it complete."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import headmotion

from ..core.files import read_regular, write_text

PREPARED = "prepared.json"
"""Name of that file. It appears before the file that makes the corpus complete."""


def record_of(**choices: Any) -> str:
    """Return the content of `PREPARED` for all that a corpus follows from, as JSON values; it holds a digest of them.

    Another version of headmotion may make another corpus of the same, so the version is among them.
    """
    return json.dumps({"made_from_sha256": digest([headmotion.__version__, choices])})


def folder_listing(folder: Path, exclude: Path) -> list[tuple[str, int]]:
    """Return name and size of every file in a folder that is not hidden, except those in ``exclude``."""
    left_out = exclude.resolve()
    return sorted(
        (path.relative_to(folder).as_posix(), path.stat().st_size)
        for path in folder.rglob("[!.]*")
        if path.is_file() and left_out not in path.resolve().parents
    )


def is_made_from(folder: Path, last: str, record: str) -> bool:
    """Return whether a folder holds a complete corpus of that record; ``last`` is the file that makes it complete."""
    if not (folder / last).exists():
        return False
    try:
        return read_regular(folder / PREPARED, 1 << 16).decode() == record
    except (OSError, ValueError):
        return False


def write_record(folder: Path, record: str) -> str:
    """Write `PREPARED` and return its name."""
    write_text(folder / PREPARED, record)
    return PREPARED


def digest(values: object) -> str:
    """Return the SHA-256 of JSON values, whose keys are sorted."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
