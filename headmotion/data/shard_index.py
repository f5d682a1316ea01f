"""The index of a corpus in shards of format 2: mapped columns."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..core.errors import CorpusError
from ..core.files import is_inside
from .clip_index import Rows
from .clip_tracks import ClipShape, ClipTracks, MotionShape, TrackRange
from .index_entry import IndexEntry
from .shard_header import COPY_AGAIN
from .shard_reader import ShardReader
from .text_columns import Names, Texts

if TYPE_CHECKING:
    from ..core.interfaces.sample import Track


class ShardIndex:
    """The index of a corpus in shards of format 2: mapped columns, in which a clip costs nothing until it is read.

    Args:
        reader: the corpus.
        license: license of the media, where the index does not say.

    Raises:
        CorpusError: the index is damaged.
    """

    def __init__(self, reader: ShardReader, license: str = "") -> None:
        self.reader, self.license = reader, license
        self.columns = reader.columns

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def speakers(self) -> Names:
        """Speaker of each clip."""
        return self.columns.speaker

    @property
    def splits(self) -> Names:
        """Split of each clip."""
        return self.columns.split

    @cached_property
    def sources(self) -> Names:
        """Where each clip comes from: its source, or else the name of its corpus folder."""
        names = self.columns.source
        if "" not in names.table:
            return names
        return Names(names.codes, Texts.of(name or PurePath(self.reader.files.name).name for name in names.table))

    @cached_property
    def licenses(self) -> Names:
        """License of each clip; empty if unknown."""
        names = self.columns.license
        return Names(names.codes, Texts.of(name or self.license for name in names.table)) if self.license else names

    @property
    def distribute(self) -> npt.NDArray[np.bool_]:
        """Whether weights trained on each clip may be given away."""
        return np.asarray(self.columns.distribute != 0)

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Duration of each clip."""
        fps = self.reader.motion.fps
        return self.columns.frames * np.float64(fps.denominator) / np.float64(fps.numerator)

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Factor of the chance that training draws each clip."""
        return self.columns.weight

    def id(self, row: int) -> str:
        """Return the id of a clip."""
        return self.reader.id_of(row)

    def entry(self, row: int) -> IndexEntry:
        """Return the entry of a clip.

        Raises:
            CorpusError: this part of the index is damaged.
        """
        columns, header, component = self.columns, self.reader.header, f"corpus {self.reader.files.name}"
        try:
            entry = IndexEntry(
                folder=self.reader.files.name,
                id=self.id(row),
                speaker=columns.speaker[row],
                split=columns.split[row],
                seconds=float(int(columns.frames[row]) / self.reader.motion.fps),
                license=columns.license[row] or self.license,
                source=columns.source[row],
                distribute=bool(columns.distribute[row]),
                weight=float(columns.weight[row]),
                checks=_parse_checks(columns.checks[row]),
                tracks=header.tracks,
                label_names=tuple(header.labels),
                row=row,
                reader=self.reader,
            )
        except (ValueError, RecursionError) as error:
            expected = f"a valid row {row} of {header.index.name}"
            raise CorpusError(component, expected, str(error), COPY_AGAIN) from None
        if not is_inside(entry.id):
            raise CorpusError(component, "ids that are relative paths within the folder", ascii(entry.id))
        return entry

    def shape(self, row: int) -> ClipShape:
        """Return length and shape of a clip."""
        return self.reader.shape_of_row(row)

    def read_range(self, row: int, cut: TrackRange) -> ClipTracks:
        """Read some tracks of some frames of a clip.

        Raises:
            CorpusError: the clip is damaged.
        """
        return self.reader.read_row(row, cut)

    def frame_counts(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Return the number of frames of clips."""
        return self.columns.frames[rows].astype(np.int64)

    def motion_shapes(self, rows: Rows) -> dict[MotionShape, str]:
        """Return the shape that the motion of all clips has, with the id of one of them."""
        return {self.reader.motion: self.id(int(rows[0]))} if len(rows) else {}

    def tracks(self, rows: Rows) -> frozenset[Track]:
        """Return the tracks that all clips have."""
        return self.reader.header.tracks

    def have_tracks(self, tracks: Collection[Track]) -> npt.NDArray[np.bool_]:
        """Return whether each clip of the index has all these tracks."""
        return np.full(len(self), self.reader.header.tracks.issuperset(tracks))

    def label_names(self, rows: Rows) -> set[tuple[str, ...]]:
        """Return the names of labels that clips have."""
        return {tuple(self.reader.header.labels)} if len(rows) else set()

    def picture_sizes(self, rows: Rows) -> set[tuple[int, int]]:
        """Return height and width of the pictures that clips have."""
        pictures = self.reader.header.pictures
        return {pictures.size} if pictures and len(rows) else set()

    def __getstate__(self) -> dict[str, Any]:
        # The index is mapped again rather than sent.
        return {"reader": self.reader, "license": self.license}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _parse_checks(text: str) -> dict[str, Any]:
    checks = json.loads(text) if text else {}
    if not isinstance(checks, dict):
        raise ValueError("checks that are no object")
    return checks
