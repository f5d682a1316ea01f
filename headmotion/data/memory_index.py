"""The index of a corpus whose entries are in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .clip_index import Rows
from .clip_tracks import ALWAYS, ClipShape, ClipTracks, MotionShape, TrackRange
from .index_entry import ClipReader, IndexEntry
from .text_columns import Names

if TYPE_CHECKING:
    from ..core.interfaces.sample import Track


class MemoryIndex:
    """An index of entries in memory: of folders of pairs, and of shards of format 1."""

    def __init__(self, entries: Iterable[IndexEntry]) -> None:
        self.entries = tuple(entries)

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def speakers(self) -> Names:
        """Speaker of each clip."""
        return Names.of(entry.speaker for entry in self.entries)

    @cached_property
    def splits(self) -> Names:
        """Split of each clip."""
        return Names.of(entry.split for entry in self.entries)

    @cached_property
    def sources(self) -> Names:
        """Where each clip comes from: its source, or else the name of its corpus folder."""
        return Names.of(entry.source or PurePath(entry.folder).name for entry in self.entries)

    @cached_property
    def licenses(self) -> Names:
        """License of each clip; empty if unknown."""
        return Names.of(entry.license for entry in self.entries)

    @cached_property
    def distribute(self) -> npt.NDArray[np.bool_]:
        """Whether weights trained on each clip may be given away."""
        return np.array([entry.distribute for entry in self.entries], np.bool_)

    @cached_property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Duration of each clip."""
        return np.array([entry.seconds for entry in self.entries], np.float64)

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """Factor of the chance that training draws each clip."""
        return np.array([entry.weight for entry in self.entries], np.float64)

    def id(self, row: int) -> str:
        """Return the id of a clip."""
        return self.entries[row].id

    def entry(self, row: int) -> IndexEntry:
        """Return the entry of a clip."""
        return self.entries[row]

    def shape(self, row: int) -> ClipShape:
        """Return length and shape of a clip.

        Raises:
            CorpusError: a file of a folder of pairs is damaged.
        """
        entry = self.entries[row]
        return _reader(entry).shape(entry)

    def read_range(self, row: int, cut: TrackRange) -> ClipTracks:
        """Read some tracks of some frames of a clip.

        Raises:
            CorpusError: the clip is damaged.
        """
        entry = self.entries[row]
        return _reader(entry).read_range(entry, cut)

    def frame_counts(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Return the number of frames of clips.

        Raises:
            CorpusError: a file of a folder of pairs is damaged.
        """
        return np.array([self.shape(int(row)).frames for row in rows], np.int64)

    def motion_shapes(self, rows: Rows) -> dict[MotionShape, str]:
        """Return the shapes that the motion of clips has, each with the id of a clip that has it.

        Raises:
            CorpusError: a file of a folder of pairs is damaged.
        """
        shapes: dict[MotionShape, str] = {}
        for row in map(int, rows):
            shapes.setdefault(self.shape(row).motion, self.id(row))
        return shapes

    def tracks(self, rows: Rows) -> frozenset[Track]:
        """Return the tracks that all of these clips have."""
        return frozenset.intersection(*({entry.tracks for entry in self._of(rows)} or {ALWAYS}))

    def have_tracks(self, tracks: Collection[Track]) -> npt.NDArray[np.bool_]:
        """Return whether each clip of the index has all these tracks."""
        return np.array([entry.tracks.issuperset(tracks) for entry in self.entries], np.bool_)

    def label_names(self, rows: Rows) -> set[tuple[str, ...]]:
        """Return the names of labels that clips have, all that there are."""
        return {entry.label_names for entry in self._of(rows)}

    def picture_sizes(self, rows: Rows) -> set[tuple[int, int]]:
        """Return height and width of the pictures that clips have, all that there are.

        Raises:
            CorpusError: a video of a folder of pairs is damaged.
        """
        sizes = {_reader(entry).picture_size(entry) for entry in self._of(rows) if "frames" in entry.tracks}
        return {size for size in sizes if size is not None}

    def _of(self, rows: Rows) -> Iterator[IndexEntry]:
        return (self.entries[int(row)] for row in rows)


def _reader(entry: IndexEntry) -> ClipReader:
    assert entry.reader is not None
    return entry.reader
