"""Reading a corpus in shards: by memory map, one clip at a time, in any order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from ..core.errors import CorpusError, first_problem
from .clip import Stored, check_values
from .index_entry import Entry
from .shard_header import COPY_ANEW, INDEX, SHARDS, CorpusHeader, FileInfo, IndexLine, read_header

MAPPED = 64
"""Shards that are kept mapped, at most: each costs the memory of its list of tensors."""


class ShardReader:
    """Reads clips out of the shards of one corpus. Nothing is kept; a shard is mapped when first needed."""

    def __init__(self, folder: Path, header: CorpusHeader, lines: Mapping[str, IndexLine]) -> None:
        self.folder, self.header, self.lines = folder, header, lines
        self._mapped: dict[str, Any] = {}

    def read(self, id: str) -> Stored:
        """The clip ``id``, of which only its own bytes are read.

        Raises:
            CorpusError: its shard is missing, cut short or damaged.
        """
        line = self.lines[id]
        component = f"corpus {self.folder}"
        check_size(self.folder, f"{SHARDS}/{line.shard}", self.header.shards[line.shard])
        try:
            shard = self._map(line.shard)
            landmarks, audio = shard.get_tensor(f"{id}/landmarks"), shard.get_tensor(f"{id}/audio")
        except (OSError, SafetensorError) as error:
            got = f"{type(error).__name__}: {error}"
            raise CorpusError(component, f"{id!r} in {SHARDS}/{line.shard}", got, COPY_ANEW) from None
        shape = (line.frames, self.header.points, self.header.dims)
        if landmarks.shape != shape or landmarks.dtype != np.float32 or audio.dtype != np.int16:
            got = f"{landmarks.dtype} {list(landmarks.shape)} and {audio.dtype}"
            raise CorpusError(component, f"float32 {list(shape)} and int16 for {id!r}", got, COPY_ANEW)
        check_values(f"clip {id} of {self.folder}", landmarks, audio, self.header.rate)
        return Stored(landmarks, audio, self.header.rate, _size(line))

    def _map(self, name: str) -> Any:
        if name not in self._mapped:
            while len(self._mapped) >= MAPPED:
                del self._mapped[next(iter(self._mapped))]
            self._mapped[name] = safe_open(self.folder / SHARDS / name, "numpy")
        return self._mapped[name]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_mapped": {}}


def check_shards(folder: Path) -> None:
    """Refuse a corpus of which a shard is missing or cut short. No shard is opened.

    Raises:
        CorpusError: it is, or the header is damaged.
    """
    for name, info in read_header(folder).shards.items():
        check_size(folder, f"{SHARDS}/{name}", info)


def list_shards(folder: Path, license: str = "") -> list[Entry]:
    """The entries of a corpus in shards; the shards are not even looked for.

    Raises:
        CorpusError: header or index are damaged.
    """
    header = read_header(folder)
    lines = _lines(folder, header)
    reader = ShardReader(folder, header, {line.id: line for line in lines})
    return [
        Entry(
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


def check_size(folder: Path, name: str, info: FileInfo) -> None:
    """Refuse a file that is not as long as the header says.

    Raises:
        CorpusError: it is missing, or longer or shorter.
    """
    try:
        size = (folder / name).stat().st_size
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise CorpusError(f"corpus {folder}", f"the file {name}", got, COPY_ANEW) from None
    if size != info.size:
        raise CorpusError(f"corpus {folder}", f"{info.size} bytes in {name}", str(size), COPY_ANEW)


def _lines(folder: Path, header: CorpusHeader) -> list[IndexLine]:
    component = f"corpus {folder}"
    check_size(folder, INDEX, header.index)
    try:
        content = (folder / INDEX).read_bytes()
        if FileInfo.of(content) != header.index:
            raise CorpusError(component, f"the {INDEX} that its header names", "another", COPY_ANEW)
        lines = [IndexLine.model_validate(json.loads(line)) for line in content.splitlines()]
    except ValidationError as error:
        raise CorpusError(component, f"a whole {INDEX}", first_problem(error), COPY_ANEW) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(component, f"a readable {INDEX}", type(error).__name__, COPY_ANEW) from None
    strange = {line.shard for line in lines} - set(header.shards)
    if strange or len({line.id for line in lines}) != header.clips or len(lines) != header.clips:
        got = f"{len(lines)} lines" if not strange else f"the shard {min(strange)}"
        raise CorpusError(component, f"{header.clips} clips of its shards in {INDEX}", got, COPY_ANEW)
    return lines


def _size(line: IndexLine) -> tuple[int, int] | None:
    return None if line.image_size is None else (line.image_size[0], line.image_size[1])
