"""Read a corpus in shards of format 2: by memory map, some frames of one clip at a time, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import CorpusError
from .array_file import file_digest, map_arrays
from .clip import StoredClip, check_labels, sample_count
from .clip_tracks import ClipShape, ClipTracks, TrackRange, to_float
from .corpus_files import CorpusFiles
from .index_columns import IndexColumns
from .index_entry import IndexEntry
from .mapped_shard import MappedShard
from .pictures import MISSING_PICTURES, Pictures, decode_pictures
from .shard_header import COPY_AGAIN, SHARDS, CorpusHeader

MAX_MAPPED = 64
"""Shards that are kept mapped, at most: each keeps a file open."""
MAX_DIGEST_BYTES = 64_000_000
"""The SHA-256 of a larger index is not checked when it is opened, because that would take longer than all else;
`inspect_corpus` checks it."""


class ShardReader:
    """Reader of the clips of one corpus. Clips are not cached; a shard is mapped when it is first needed.

    Windows neither removes nor replaces a file that is mapped: there, the shards stay while a `Corpus` of them lives.
    """

    def __init__(self, files: CorpusFiles, header: CorpusHeader) -> None:
        self.files, self.header, self.motion = files, header, header.motion
        self._mapped: dict[int, MappedShard] = {}

    @cached_property
    def columns(self) -> IndexColumns:
        """The index.

        Raises:
            CorpusError: it is missing or damaged.
        """
        component, index = f"corpus {self.files.name}", self.header.index
        path = self.files.path(index.name, index)
        try:
            if index.size <= MAX_DIGEST_BYTES and file_digest(path) != index.sha256:
                raise CorpusError(component, f"the {index.name} that its header names", "another", COPY_AGAIN)
            numbers = [int(name.partition(".")[0]) for name in self.header.shards]
            columns = IndexColumns.from_arrays(map_arrays(path), numbers)
        except (OSError, ValueError, RecursionError) as error:
            raise CorpusError(component, f"a valid {index.name}", str(error), COPY_AGAIN) from None
        if len(columns) != self.header.clips:
            raise CorpusError(component, f"{self.header.clips} clips in {index.name}", str(len(columns)), COPY_AGAIN)
        return columns

    def read(self, entry: IndexEntry) -> StoredClip:
        """Read a clip, and no bytes of other clips; its pictures are read when they are asked for.

        Raises:
            CorpusError: its shard is missing, cut short or damaged.
        """
        shape = self.shape(entry)
        tracks = self._read(entry.row, TrackRange(self.header.tracks - {"frames"}, 0, shape.frames))
        height, width = map(int, self.columns.image_size[entry.row])
        frames = None if self.header.pictures is None else ShardFrames(self, entry, self.header.pictures.size)
        return StoredClip(
            landmarks=tracks["motion"],
            audio=tracks["audio"],
            fps=self.motion.fps,
            image_size=(height, width) if height else None,
            frames=frames,
            labels=tracks.get("labels"),
            label_names=tuple(self.header.labels),
        )

    def read_range(self, entry: IndexEntry, cut: TrackRange) -> ClipTracks:
        """Read some tracks of some frames of a clip, and no other bytes.

        Raises:
            CorpusError: its shard is missing, cut short or damaged.
        """
        return self.read_row(entry.row, cut)

    def read_row(self, row: int, cut: TrackRange) -> ClipTracks:
        """Read some tracks of some frames of the clip in a row of the index, and no other bytes.

        Raises:
            CorpusError: its shard is missing, cut short or damaged.
        """
        tracks = self._read(row, cut)
        encoded = tracks.get("frames")
        return ClipTracks(
            motion=tracks.get("motion"),
            audio=to_float(tracks["audio"]) if "audio" in tracks else None,
            frames=None if encoded is None else self._decode(row, encoded),
            labels=tracks.get("labels"),
        )

    def encoded(self, row: int, first: int, count: int) -> list[bytes]:
        """Read pictures of the clip in a row of the index as they are stored.

        Raises:
            CorpusError: its shard is missing, cut short or damaged.
        """
        return list(self._read(row, TrackRange(frozenset({"frames"}), first, count))["frames"])

    def shape(self, entry: IndexEntry) -> ClipShape:
        """Return length and shape of a clip, as header and index state them."""
        return self.shape_of_row(entry.row)

    def shape_of_row(self, row: int) -> ClipShape:
        """Return length and shape of the clip in a row of the index."""
        return ClipShape(int(self.columns.frames[row]), self.motion)

    def picture_size(self, entry: IndexEntry) -> tuple[int, int] | None:
        """Return height and width of all pictures in pixels; None if there are none."""
        return self.header.pictures.size if self.header.pictures else None

    def id_of(self, row: int) -> str:
        """Return the id of the clip in a row of the index.

        Raises:
            CorpusError: the index is damaged there.
        """
        try:
            return self.columns.id[row]
        except ValueError as error:
            expected = f"a valid row {row} of {self.header.index.name}"
            raise CorpusError(f"corpus {self.files.name}", expected, str(error), COPY_AGAIN) from None

    def name_of(self, row: int) -> str:
        """Return what errors call the clip in a row of the index."""
        return f"clip {self.id_of(row)} of {self.files.name}"

    def _read(self, row: int, cut: TrackRange) -> dict[str, Any]:
        """Return copies of tracks as they are stored; pictures as a list of bytes."""
        columns, shape, shard = self.columns, self.shape_of_row(row), self._shard(int(self.columns.shard[row]))
        begin, first_sample = int(columns.first_frame[row]), int(columns.first_sample[row])
        last_sample = first_sample + sample_count(shape.frames, shape.motion.fps)
        if begin + shape.frames > len(shard.motion) or last_sample > len(shard.audio):
            got = f"{len(shard.motion)} and {len(shard.audio)}"
            expected = f"{begin + shape.frames} frames and {last_sample} samples in its shard"
            raise CorpusError(self.name_of(row), expected, got, COPY_AGAIN)
        part = slice(begin + cut.first, begin + cut.first + cut.count)
        tracks: dict[str, Any] = {}
        if "motion" in cut.tracks:
            tracks["motion"] = shard.motion[part].copy()
            if not np.isfinite(tracks["motion"]).all():
                raise CorpusError(self.name_of(row), "finite landmarks", "NaN or infinity")
        if cut.has_audio:
            samples = cut.samples(shape)
            tracks["audio"] = shard.audio[first_sample + samples.start : first_sample + samples.stop].copy()
        if "labels" in cut.tracks and shard.labels is not None:
            tracks["labels"] = shard.labels[part].copy()
            check_labels(self.name_of(row), tracks["labels"], (cut.count, len(self.header.labels)))
        if "frames" in cut.tracks and shard.frames is not None and shard.frame_offsets is not None:
            tracks["frames"] = self._encoded(row, shard.frames, shard.frame_offsets[part.start : part.stop + 1])
        return tracks

    def _encoded(self, row: int, content: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> list[bytes]:
        # Each alone: one wrong number must neither read other clips' pictures nor all of the shard.
        if (np.diff(offsets) < 0).any() or offsets[0] < 0 or offsets[-1] > len(content):
            expected = f"{MISSING_PICTURES} frame, one after another in its shard"
            raise CorpusError(self.name_of(row), expected, "other offsets", COPY_AGAIN)
        bounds = offsets.tolist()
        return [content[first:last].tobytes() for first, last in pairwise(bounds)]

    def _decode(self, row: int, encoded: list[bytes]) -> Pictures:
        assert self.header.pictures is not None
        return decode_pictures(self.name_of(row), encoded, self.header.pictures.size)

    def _shard(self, number: int) -> MappedShard:
        name = f"{number:05d}.safetensors"
        # Before each read: a map of a file that was cut short would end the process (SIGBUS).
        path = self.files.path(f"{SHARDS}/{name}", self.header.shards[name])
        if number not in self._mapped:
            # The oldest goes. Clips are drawn at random, so the least recently used would be no better a choice.
            while len(self._mapped) >= MAX_MAPPED:
                del self._mapped[next(iter(self._mapped))]
            try:
                self._mapped[number] = MappedShard.from_arrays(map_arrays(path), self.header)
            except (OSError, ValueError, RecursionError) as error:
                component, got = f"corpus {self.files.name}", str(error)
                raise CorpusError(component, f"a whole {SHARDS}/{name}", got, COPY_AGAIN) from None
        return self._mapped[number]

    def __getstate__(self) -> dict[str, Any]:
        # Maps cannot be pickled.
        return {"files": self.files, "header": self.header, "motion": self.motion, "_mapped": {}}


@dataclass(frozen=True, eq=False)
class ShardFrames:
    """The pictures of one clip in a shard."""

    reader: ShardReader
    entry: IndexEntry
    size: tuple[int, int]

    def __len__(self) -> int:
        return self.reader.shape(self.entry).frames

    def read(self, first: int = 0, count: int | None = None) -> Pictures:
        """Decode pictures ``[t, 3, H, W]``.

        Raises:
            CorpusError: a picture is missing or damaged.
        """
        count = len(self) - first if count is None else count
        return decode_pictures(
            self.reader.name_of(self.entry.row), self.reader.encoded(self.entry.row, first, count), self.size
        )

    def encoded_pictures(self) -> list[bytes]:
        """Return all pictures as they are stored."""
        return self.reader.encoded(self.entry.row, 0, len(self))
