"""Clips that are left out of a corpus, and the file ``rejected.jsonl`` that lists them with their reasons."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import HeadmotionError
from ..core.files import atomic_output, write_text

REJECTED = "rejected.jsonl"


@dataclass(frozen=True)
class RejectedClip:
    """One clip that cannot be used."""

    clip: str
    error: HeadmotionError
    source: str = ""
    """The file or folder that the clip came from."""

    @property
    def reason(self) -> str:
        """The error in one line."""
        return str(self.error)


def write_rejected(folder: Path, rejected: Iterable[RejectedClip]) -> Path:
    """Write ``rejected.jsonl`` into ``folder``: one object with ``source``, ``clip`` and ``reason`` per line."""
    lines = [{"source": clip.source, "clip": clip.clip, "reason": clip.reason} for clip in rejected]
    with atomic_output(folder / REJECTED) as temporary:
        write_text(temporary, "".join(f"{json.dumps(line, sort_keys=True)}\n" for line in lines))
    return folder / REJECTED
