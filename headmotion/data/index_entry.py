"""One line of an index: what is known of a clip without reading it, and who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .clip import FULL_SCALE, Clip, Stored


class ClipReader(Protocol):
    """Reads the clips of one folder. It can be pickled, so that worker processes read for themselves."""

    def read(self, id: str) -> Stored:
        """The clip ``id``.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        ...


class KeepingReader:
    """Keeps in memory what another reader has read, where reading costs unpacking."""

    def __init__(self, reader: ClipReader) -> None:
        self.reader = reader
        self._kept: dict[str, Stored] = {}

    def read(self, id: str) -> Stored:
        """The clip ``id``; shared with later calls.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        if id not in self._kept:
            self._kept[id] = self.reader.read(id)
        return self._kept[id]

    def __getstate__(self) -> dict[str, Any]:
        return {"reader": self.reader, "_kept": {}}  # a worker reads what it needs


@dataclass(frozen=True)
class Entry:
    """One line of an index."""

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
    """What else the index says: figures measured when the clip was prepared."""
    reader: ClipReader | None = field(default=None, repr=False, compare=False)

    def read(self) -> Clip:
        """The clip; its landmarks may be shared with later calls: do not write into them.

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
