"""One entry of an index: what is known of a clip without reading it, and the reader of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .clip import FULL_SCALE, Clip, StoredClip


class ClipReader(Protocol):
    """Reader of the clips of one folder. It can be pickled, so that worker processes read for themselves."""

    def read(self, id: str) -> StoredClip:
        """Read the clip ``id``.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        ...


class CachingReader:
    """A reader that keeps in memory what another reader has read; for formats that must be unpacked."""

    def __init__(self, reader: ClipReader) -> None:
        self.reader = reader
        self._cache: dict[str, StoredClip] = {}

    def read(self, id: str) -> StoredClip:
        """Read the clip ``id``; the result is shared with later calls.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        if id not in self._cache:
            self._cache[id] = self.reader.read(id)
        return self._cache[id]

    def __getstate__(self) -> dict[str, Any]:
        return {"reader": self.reader, "_cache": {}}  # a worker reads only what it needs


@dataclass(frozen=True)
class IndexEntry:
    """One entry of an index."""

    folder: Path
    id: str
    speaker: str
    split: str
    seconds: float = 1.0
    license: str = ""
    source: str = ""
    distribute: bool = False
    """Whether weights trained on the clip may be given away."""
    weight: float = 1.0
    checks: Mapping[str, Any] = field(default_factory=dict)
    """What was measured when the clip was prepared, and other columns of the index."""
    reader: ClipReader | None = field(default=None, repr=False, compare=False)

    def read(self) -> Clip:
        """Read the clip. Its landmarks may be shared with later calls: do not write into them.

        Raises:
            CorpusError: the clip is damaged.
        """
        assert self.reader is not None
        stored = self.reader.read(self.id)
        return Clip(
            id=self.id,
            speaker=self.speaker,
            split=self.split,
            landmarks=stored.landmarks,
            audio=stored.audio.astype(np.float32) / FULL_SCALE,
            fps=stored.fps,
            weight=self.weight,
            license=self.license,
            source=self.source,
            distribute=self.distribute,
            image_size=stored.image_size,
            checks=self.checks,
        )
