"""One entry of an index: what is known of a clip without reading it, and the reader of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .clip import Clip, StoredClip
from .clip_tracks import ClipShape, ClipTracks, TrackRange, cut_clip, to_float


class ClipReader(Protocol):
    """Reader of the clips of one folder. It can be pickled, so that worker processes read for themselves."""

    def read(self, id: str) -> StoredClip:
        """Read the clip ``id``.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        ...

    def read_range(self, id: str, cut: TrackRange) -> ClipTracks:
        """Read some tracks of some frames of the clip ``id``.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        ...

    def shape(self, id: str) -> ClipShape:
        """Return length and shape of the clip ``id`` without reading it.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        ...


class CachingReader:
    """A reader that keeps in memory what another reader has read; for formats that must be unpacked."""

    def __init__(self, reader: ClipReader) -> None:
        self.reader = reader
        self._cache: dict[str, StoredClip] = {}
        self._shapes: dict[str, ClipShape] = {}

    def read(self, id: str) -> StoredClip:
        """Read the clip ``id``; the result is shared with later calls.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        if id not in self._cache:
            self._cache[id] = self.reader.read(id)
        return self._cache[id]

    def read_range(self, id: str, cut: TrackRange) -> ClipTracks:
        """Return a range of the clip ``id``, all of which is read and kept.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        return cut_clip(self.read(id), cut)

    def shape(self, id: str) -> ClipShape:
        """Return length and shape of the clip ``id``; kept, too.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        if id not in self._shapes:
            self._shapes[id] = self.reader.shape(id)
        return self._shapes[id]

    def __getstate__(self) -> dict[str, Any]:
        # A worker reads only what it needs.
        return {"reader": self.reader, "_cache": {}, "_shapes": self._shapes}


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
            audio=to_float(stored.audio),
            fps=stored.fps,
            weight=self.weight,
            license=self.license,
            source=self.source,
            distribute=self.distribute,
            image_size=stored.image_size,
            checks=self.checks,
        )
