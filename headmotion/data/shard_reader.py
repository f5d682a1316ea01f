"""Read a corpus in shards: by memory map, one clip at a time, in any order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from ..core.errors import CorpusError, first_problem
from .clip import StoredClip, check_clip_values
from .clip_tracks import ClipShape, ClipTracks, TrackRange, to_float
from .index_entry import IndexEntry
from .shard_header import (
    COPY_AGAIN,
    INDEX,
    SHARDS,
    CorpusHeader,
    FileInfo,
    IndexLine,
    check_size,
    read_header,
)

MAX_MAPPED = 64
"""Shards that are kept mapped, at most: each costs memory for its list of tensors."""


class ShardReader:
    """Reader of the clips of one corpus. Clips are not cached; a shard is mapped when it is first needed.

    Windows neither removes nor replaces a file that is mapped: there, the shards stay while a `Corpus` of them lives.
    """

    def __init__(self, folder: Path, header: CorpusHeader, lines: Mapping[str, IndexLine]) -> None:
        self.folder, self.header, self.lines = folder, header, lines
        self._mapped: dict[str, Any] = {}

    def read(self, id: str) -> StoredClip:
        """Read the clip ``id``, and no bytes of other clips.

        Raises:
            CorpusError: its shard is missing, cut short or damaged.
        """
        line = self.lines[id]
        shape = (line.frames, self.header.points, self.header.dims)
        landmarks, audio = (self._values(id, name, slice(None)) for name in ("landmarks", "audio"))
        if landmarks.shape != shape or landmarks.dtype != np.float32:
            raise self._damaged(id, f"float32 {list(shape)}", landmarks)
        if audio.dtype != np.int16:
            raise self._damaged(id, "int16", audio)
        check_clip_values(f"clip {id} of {self.folder}", landmarks, audio, self.header.rate)
        return StoredClip(landmarks, audio, self.header.rate, _image_size(line))

    def read_range(self, id: str, cut: TrackRange) -> ClipTracks:
        """Read some tracks of some frames of the clip ``id``, and no other bytes.

        Raises:
            CorpusError: its shard is missing, cut short or damaged.
        """
        motion = audio = None
        if "motion" in cut.tracks:
            motion = self._values(id, "landmarks", slice(cut.first, cut.first + cut.count))
            shape = (cut.count, self.header.points, self.header.dims)
            if motion.shape != shape or motion.dtype != np.float32:
                raise self._damaged(id, f"float32 {list(shape)}", motion)
            if not np.isfinite(motion).all():
                raise CorpusError(f"clip {id} of {self.folder}", "finite landmarks", "NaN or infinity")
        if cut.has_audio:
            samples = cut.samples(self.shape(id))
            audio = self._values(id, "audio", samples)
            if audio.shape != (samples.stop - samples.start,) or audio.dtype != np.int16:
                raise self._damaged(id, f"int16 [{samples.stop - samples.start}]", audio)
        return ClipTracks(motion, None if audio is None else to_float(audio))

    def shape(self, id: str) -> ClipShape:
        """Return length and shape of the clip ``id``, as header and index state them."""
        return ClipShape(self.lines[id].frames, self.header.motion)

    def _values(self, id: str, name: str, part: slice) -> Any:
        shard = self.lines[id].shard
        # Before each read: a map of a file that was cut short would end the process (SIGBUS).
        check_size(self.folder, f"{SHARDS}/{shard}", self.header.shards[shard])
        try:
            return self._map(shard).get_slice(f"{id}/{name}")[part]
        except (OSError, SafetensorError) as error:
            got = f"{type(error).__name__}: {error}"
            raise CorpusError(f"corpus {self.folder}", f"{id!r} in {SHARDS}/{shard}", got, COPY_AGAIN) from None

    def _damaged(self, id: str, expected: str, values: Any) -> CorpusError:
        got = f"{values.dtype} {list(values.shape)}"
        return CorpusError(f"corpus {self.folder}", f"{expected} for {id!r}", got, COPY_AGAIN)

    def _map(self, name: str) -> Any:
        if name not in self._mapped:
            # The oldest goes. Clips are drawn at random, so the least recently used would be no better a choice.
            while len(self._mapped) >= MAX_MAPPED:
                del self._mapped[next(iter(self._mapped))]
            self._mapped[name] = safe_open(self.folder / SHARDS / name, "numpy")
        return self._mapped[name]

    def __getstate__(self) -> dict[str, Any]:
        # Maps cannot be pickled.
        return self.__dict__ | {"_mapped": {}}


def check_shards(folder: Path) -> None:
    """Raise an error for a corpus with a shard that is missing or cut short. No shard is opened.

    Raises:
        CorpusError: there is one, or the header is damaged.
    """
    for name, info in read_header(folder).shards.items():
        check_size(folder, f"{SHARDS}/{name}", info)


def list_shards(folder: Path, license: str = "") -> list[IndexEntry]:
    """Return the entries of a corpus in shards, whose shards may be missing.

    Raises:
        CorpusError: header or index is damaged.
    """
    header = read_header(folder)
    lines = _read_index(folder, header)
    reader = ShardReader(folder, header, {line.id: line for line in lines})
    return [
        IndexEntry(
            folder=folder,
            id=line.id,
            speaker=line.speaker,
            split=line.split,
            seconds=line.seconds,
            license=line.license or license,
            source=line.source,
            distribute=line.distribute,
            weight=line.weight,
            checks=line.checks,
            reader=reader,
        )
        for line in lines
    ]


def _read_index(folder: Path, header: CorpusHeader) -> list[IndexLine]:
    component = f"corpus {folder}"
    check_size(folder, INDEX, header.index)
    try:
        content = (folder / INDEX).read_bytes()
        if FileInfo.for_content(content) != header.index:
            raise CorpusError(component, f"the {INDEX} that its header names", "another", COPY_AGAIN)
        lines = [IndexLine.model_validate(json.loads(line)) for line in content.splitlines()]
    except ValidationError as error:
        raise CorpusError(component, f"a valid {INDEX}", first_problem(error), COPY_AGAIN) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(component, f"a readable {INDEX}", type(error).__name__, COPY_AGAIN) from None
    # Each line alone may be valid, and the index still not be that of the header.
    unknown_shards = {line.shard for line in lines} - set(header.shards)
    if unknown_shards or len({line.id for line in lines}) != header.clips or len(lines) != header.clips:
        got = f"{len(lines)} lines" if not unknown_shards else f"the shard {min(unknown_shards)}"
        raise CorpusError(component, f"{header.clips} clips of its shards in {INDEX}", got, COPY_AGAIN)
    return lines


def _image_size(line: IndexLine) -> tuple[int, int] | None:
    return None if line.image_size is None else (line.image_size[0], line.image_size[1])
