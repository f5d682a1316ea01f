"""What a preparation came to."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ..data.rejected import REFUSED
from ..data.shard_header import HEADER, INDEX


@dataclass(frozen=True)
class Summary:
    """Counts of a prepared corpus."""

    clips: int
    seconds: float
    refused: Mapping[str, int]
    """How many clips or videos were refused, by reason."""

    @classmethod
    def of(cls, corpus: str | os.PathLike[str]) -> Self:
        """Of the folder that `prepare` made, which may hold no clips."""
        folder = Path(corpus)
        seconds = [line["seconds"] for line in _lines(folder / INDEX)] if (folder / HEADER).exists() else []
        reasons = Counter(line["reason"] for line in _lines(folder / REFUSED))
        return cls(len(seconds), sum(seconds), dict(sorted(reasons.items())))

    def __str__(self) -> str:
        made = f"{self.clips} {'clip' if self.clips == 1 else 'clips'}, {self.seconds / 60:.1f} minutes"
        refused = ", ".join(f"{count} {reason}" for reason, count in self.refused.items())
        return f"{made}; refused: {refused or 'none'}"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open(encoding="utf-8") as stream:
            yield from map(json.loads, stream)
