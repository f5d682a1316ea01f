"""Corpora in shards of format 1, which are still read: an index of lines, and tensors named by the ids of clips."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field, field_validator
from safetensors import SafetensorError, safe_open

from ..core.errors import CorpusError
from ..core.files import is_inside, reason_of
from ..core.validation import validated
from .clip import StoredClip, check_clip_values
from .clip_tracks import ClipShape, ClipTracks, TrackRange, to_float
from .corpus_files import CorpusFiles
from .index_entry import IndexEntry
from .shard_header import COPY_AGAIN, SHARDS, FileInfo, FormatOneHeader, JsonRecord, ShardName

INDEX = "index.jsonl"
MAX_MAPPED = 64
"""Shards that are kept mapped, at most: each costs memory for its list of tensors."""


class IndexLine(JsonRecord):
    """One line of ``index.jsonl``: what is known of a clip without reading its shard."""

    id: str = Field(min_length=1)
    speaker: str
    """Empty if unknown."""
    split: str = Field(min_length=1)
    source: str
    license: str
    distribute: bool
    weight: float = Field(ge=0)
    frames: int = Field(ge=1)
    seconds: float = Field(gt=0)
    image_size: Annotated[list[int], Field(min_length=2, max_length=2)] | None
    """Height and width of the source video in pixels."""
    shard: ShardName
    checks: dict[str, Any]

    @field_validator("id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        if not is_inside(value):
            raise ValueError("a relative path within the folder")
        return value


class FormatOneReader:
    """Reader of the clips of one corpus. Clips are not cached; a shard is mapped when it is first needed."""

    def __init__(self, files: CorpusFiles, header: FormatOneHeader, lines: Mapping[str, IndexLine]) -> None:
        self.files, self.header, self.lines = files, header, lines
        self._mapped: dict[str, Any] = {}

    def read(self, entry: IndexEntry) -> StoredClip:
        """Read a clip, and no bytes of other clips.

        Raises:
            CorpusError: its shard is missing, cut short or damaged.
        """
        line = self.lines[entry.id]
        shape = (line.frames, self.header.points, self.header.dims)
        landmarks, audio = (self._values(entry.id, name, slice(None)) for name in ("landmarks", "audio"))
        if landmarks.shape != shape or landmarks.dtype != np.float32:
            raise self._damaged(entry.id, f"float32 {list(shape)}", landmarks)
        if audio.dtype != np.int16:
            raise self._damaged(entry.id, "int16", audio)
        check_clip_values(f"clip {entry.id} of {self.files.name}", landmarks, audio, self.header.rate)
        size = None if line.image_size is None else (line.image_size[0], line.image_size[1])
        return StoredClip(landmarks, audio, self.header.rate, size)

    def read_range(self, entry: IndexEntry, cut: TrackRange) -> ClipTracks:
        """Read some tracks of some frames of a clip, and no other bytes.

        Raises:
            CorpusError: its shard is missing, cut short or damaged.
        """
        motion = audio = None
        if "motion" in cut.tracks:
            motion = self._values(entry.id, "landmarks", cut.frames)
            shape = (cut.count, self.header.points, self.header.dims)
            if motion.shape != shape or motion.dtype != np.float32:
                raise self._damaged(entry.id, f"float32 {list(shape)}", motion)
            if not np.isfinite(motion).all():
                raise CorpusError(f"clip {entry.id} of {self.files.name}", "finite landmarks", "NaN or infinity")
        if cut.has_audio:
            samples = cut.samples(self.shape(entry))
            audio = self._values(entry.id, "audio", samples)
            if audio.shape != (samples.stop - samples.start,) or audio.dtype != np.int16:
                raise self._damaged(entry.id, f"int16 [{samples.stop - samples.start}]", audio)
        return ClipTracks(motion, None if audio is None else to_float(audio))

    def shape(self, entry: IndexEntry) -> ClipShape:
        """Return length and shape of a clip, as header and index state them."""
        return ClipShape(self.lines[entry.id].frames, self.header.motion)

    def picture_size(self, entry: IndexEntry) -> None:
        """Return None: clips of this format have no pictures."""

    def _values(self, id: str, name: str, part: slice) -> Any:
        shard = self.lines[id].shard
        # Before each read: a map of a file that was cut short would end the process (SIGBUS).
        path = self.files.path(f"{SHARDS}/{shard}", self.header.shards[shard])
        try:
            if shard not in self._mapped:
                # The oldest goes. Clips are drawn at random, so the least recently used would be no better a choice.
                while len(self._mapped) >= MAX_MAPPED:
                    del self._mapped[next(iter(self._mapped))]
                self._mapped[shard] = safe_open(path, "numpy")
            return self._mapped[shard].get_slice(f"{id}/{name}")[part]
        except (OSError, SafetensorError) as error:
            got = reason_of(error)
            raise CorpusError(f"corpus {self.files.name}", f"{id!r} in {SHARDS}/{shard}", got, COPY_AGAIN) from None

    def _damaged(self, id: str, expected: str, values: Any) -> CorpusError:
        got = f"{values.dtype} {list(values.shape)}"
        return CorpusError(f"corpus {self.files.name}", f"{expected} for {id!r}", got, COPY_AGAIN)

    def __getstate__(self) -> dict[str, Any]:
        # Maps cannot be pickled.
        return self.__dict__ | {"_mapped": {}}


def list_format1(files: CorpusFiles, header: FormatOneHeader, license: str = "") -> list[IndexEntry]:
    """Return the entries of a corpus of format 1, whose shards may be missing.

    Raises:
        CorpusError: the index is damaged.
    """
    lines = _read_index(files, header)
    reader = FormatOneReader(files, header, {line.id: line for line in lines})
    return [
        IndexEntry(
            folder=files.name,
            id=line.id,
            speaker=line.speaker,
            split=line.split,
            seconds=line.seconds,
            license=line.license or license,
            source=line.source,
            distribute=line.distribute,
            weight=line.weight,
            checks=line.checks,
            row=row,
            reader=reader,
        )
        for row, line in enumerate(lines)
    ]


def _index_line(line: bytes, component: str) -> IndexLine:
    return validated(IndexLine, json.loads(line), f"{component}: {INDEX}", COPY_AGAIN, CorpusError)


def _read_index(files: CorpusFiles, header: FormatOneHeader) -> list[IndexLine]:
    component = f"corpus {files.name}"
    try:
        content = files.path(INDEX, header.index).read_bytes()
        if FileInfo.for_content(content) != header.index:
            raise CorpusError(component, f"the {INDEX} that its header names", "another", COPY_AGAIN)
        lines = [_index_line(line, component) for line in content.splitlines()]
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(component, f"a readable {INDEX}", reason_of(error), COPY_AGAIN) from None
    # Each line alone may be valid, and the index still not be that of the header.
    unknown_shards = {line.shard for line in lines} - set(header.shards)
    if unknown_shards or len({line.id for line in lines}) != header.clips or len(lines) != header.clips:
        got = f"{len(lines)} lines" if not unknown_shards else f"the shard {min(unknown_shards)}"
        raise CorpusError(component, f"{header.clips} clips of its shards in {INDEX}", got, COPY_AGAIN)
    return lines
