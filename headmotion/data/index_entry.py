"""One entry of an index: what is known of a clip without reading it, and the reader of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .clip import Clip, StoredClip
from .clip_tracks import ALWAYS, ClipShape, ClipTracks, TrackRange, cut_clip, to_float

if TYPE_CHECKING:
    from ..core.interfaces.sample import Track


class ClipReader(Protocol):
    """Reader of the clips of one corpus. It can be pickled, so that worker processes read for themselves."""

    def read(self, entry: IndexEntry) -> StoredClip:
        """Read the clip of an entry; its pictures, if it has any, are read when they are asked for.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        ...

    def read_range(self, entry: IndexEntry, cut: TrackRange) -> ClipTracks:
        """Read some tracks of some frames of a clip.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        ...

    def shape(self, entry: IndexEntry) -> ClipShape:
        """Return length and shape of a clip without reading it.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        ...

    def picture_size(self, entry: IndexEntry) -> tuple[int, int] | None:
        """Return height and width of a clip's pictures in pixels; None if it has none.

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

    def read(self, entry: IndexEntry) -> StoredClip:
        """Read a clip; the result is shared with later calls.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        if entry.id not in self._cache:
            self._cache[entry.id] = self.reader.read(entry)
        return self._cache[entry.id]

    def read_range(self, entry: IndexEntry, cut: TrackRange) -> ClipTracks:
        """Return a range of a clip, all of which is read and kept, except its pictures.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        return cut_clip(self.read(entry), cut)

    def shape(self, entry: IndexEntry) -> ClipShape:
        """Return length and shape of a clip; kept, too.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        if entry.id not in self._shapes:
            self._shapes[entry.id] = self.reader.shape(entry)
        return self._shapes[entry.id]

    def picture_size(self, entry: IndexEntry) -> tuple[int, int] | None:
        """Return height and width of a clip's pictures in pixels; None if it has none.

        Raises:
            CorpusError: a file is missing or damaged.
        """
        return self.reader.picture_size(entry)

    def __getstate__(self) -> dict[str, Any]:
        # A worker reads only what it needs.
        return {"reader": self.reader, "_cache": {}, "_shapes": self._shapes}


@dataclass(frozen=True)
class IndexEntry:
    """One entry of an index."""

    folder: str
    """Path or address of the corpus."""
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
    tracks: frozenset[Track] = ALWAYS
    """The tracks that the clip has."""
    label_names: tuple[str, ...] = ()
    """Names of the labels."""
    row: int = 0
    """Row in the index."""
    reader: ClipReader | None = field(default=None, repr=False, compare=False)

    def read(self) -> Clip:
        """Read the clip. Its landmarks may be shared with later calls: do not write into them.

        Raises:
            CorpusError: the clip is damaged.
        """
        assert self.reader is not None
        stored = self.reader.read(self)
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
            frames=stored.frames,
            labels=stored.labels,
            label_names=stored.label_names,
            picture_box=stored.picture_box,
        )
