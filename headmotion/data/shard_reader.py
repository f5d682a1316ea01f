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
        component = f"corpus {self.folder}"
        # Before each read: a map of a file that was cut short would end the process (SIGBUS).
        check_size(self.folder, f"{SHARDS}/{line.shard}", self.header.shards[line.shard])
        try:
            shard = self._map(line.shard)
            landmarks, audio = shard.get_tensor(f"{id}/landmarks"), shard.get_tensor(f"{id}/audio")
        except (OSError, SafetensorError) as error:
            got = f"{type(error).__name__}: {error}"
            raise CorpusError(component, f"{id!r} in {SHARDS}/{line.shard}", got, COPY_AGAIN) from None
        shape = (line.frames, self.header.points, self.header.dims)
        if landmarks.shape != shape or landmarks.dtype != np.float32 or audio.dtype != np.int16:
            got = f"{landmarks.dtype} {list(landmarks.shape)} and {audio.dtype}"
            raise CorpusError(component, f"float32 {list(shape)} and int16 for {id!r}", got, COPY_AGAIN)
        check_clip_values(f"clip {id} of {self.folder}", landmarks, audio, self.header.rate)
        return StoredClip(landmarks, audio, self.header.rate, _image_size(line))

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
