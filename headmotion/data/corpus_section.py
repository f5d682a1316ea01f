"""A selection of the clips of one index."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from .clip_index import ClipIndex, Rows
from .index_entry import IndexEntry
from .split import split_of
from .text_columns import Names

if TYPE_CHECKING:
    from ..core.interfaces.sample import Track


@dataclass(frozen=True, eq=False)
class Section:
    """Some clips of one index, in any order."""

    index: ClipIndex
    """The index."""
    selected: Rows | None = None
    """Which clips of it; None: all."""
    new_splits: Names | None = None
    """Split of each clip of the index, if it is not the index's own."""

    def __len__(self) -> int:
        return len(self.index) if self.selected is None else len(self.selected)

    @property
    def rows(self) -> Rows:
        """Rows of the clips in the index."""
        return np.arange(len(self.index)) if self.selected is None else self.selected

    @property
    def splits(self) -> Names:
        """Split of each clip of the index."""
        return self.new_splits or self.index.splits

    def row(self, number: int) -> int:
        """Return the row in the index of a clip of the selection."""
        return number if self.selected is None else int(self.selected[number])

    def entry(self, row: int) -> IndexEntry:
        """Return the entry of a clip, in its split."""
        entry = self.index.entry(row)
        return entry if self.new_splits is None else replace(entry, split=self.new_splits[row])

    def select(self, split: str | None, distributable: bool | None, tracks: Collection[Track]) -> Self:
        """Return the clips that meet all conditions, see `Corpus.select`."""
        rows = self.rows
        if split is not None:
            rows = rows[self.splits.equal(split)[rows]]
        if distributable is not None:
            rows = rows[self.index.distribute[rows] == distributable]
        if tracks:
            rows = rows[self.index.have_tracks(tracks)[rows]]
        return replace(self, selected=rows)

    def split_by_speaker(self, val: float, test: float, seed: int) -> Self:
        """Return the same clips with the split of their speaker, see `Corpus.split_by_speaker`."""
        speakers = self.index.speakers
        # One hash per speaker, not per clip.
        of_speaker = Names.of(split_of(speaker, val, test, seed) for speaker in speakers.table)
        return replace(self, new_splits=Names(of_speaker.codes[speakers.codes], of_speaker.table))
