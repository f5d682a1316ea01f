"""Clips that are not taken into a corpus, each with its reason, and the file ``refused.jsonl`` that says so."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import HeadmotionError
from ..core.files import atomic_output

REFUSED = "refused.jsonl"


@dataclass(frozen=True)
class Refused:
    """One clip that cannot be used."""

    clip: str
    error: HeadmotionError
    source: str = ""
    """The file or folder that it came from."""

    @property
    def reason(self) -> str:
        """Why, in one line."""
        return str(self.error)


def write_refused(folder: Path, refused: Iterable[Refused]) -> Path:
    """Write ``refused.jsonl`` into ``folder``: one object with ``source``, ``clip`` and ``reason`` per line."""
    lines = [{"source": each.source, "clip": each.clip, "reason": each.reason} for each in refused]
    with atomic_output(folder / REFUSED) as temporary:
        temporary.write_text("".join(f"{json.dumps(line, sort_keys=True)}\n" for line in lines), "utf-8")
    return folder / REFUSED
