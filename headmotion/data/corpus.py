"""Corpora: clips in a fixed order, whichever way they lie on disk.

Two layouts: shards (``corpus.json``, see `shards`), and a folder of pairs (``index.csv``, see `pairs`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..core.errors import CorpusError
from . import pair_format as pairs
from .clip import Clip
from .index_entry import Entry, KeepingReader
from .rejected import Refused
from .shard_header import HEADER
from .shard_reader import check_shards, list_shards


class Corpus:
    """Clips in a fixed order, read when they are asked for. It can be pickled: worker processes read for themselves.

    Clips in shards are read anew each time; pairs are kept in memory, because they must be unpacked.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Clip]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: int) -> Clip:
        """The clip at ``index``. Its landmarks may be shared with later calls: do not write into them.

        Raises:
            CorpusError: the clip is damaged.
        """
        return self.entries[index].read()

    def select(self, split: str | None = None, distributable: bool | None = None) -> Corpus:
        """The clips of a split, and those whose trained weights may (or may not) be given away; possibly none."""
        return Corpus(
            entry
            for entry in self.entries
            if split in (None, entry.split) and distributable in (None, entry.distribute)
        )

    def weights(self, balance: float = 0.5) -> npt.NDArray[np.float64]:
        """Chances ``[N]`` to draw each clip, summing to 1; all 0 if no clip has a weight.

        Args:
            balance: 0 draws by seconds, 1 gives all speakers the same chance whatever they said, between is between.
        """
        spoken: dict[str, float] = {}
        for entry in self.entries:
            spoken[entry.speaker] = spoken.get(entry.speaker, 0.0) + entry.seconds
        chances = np.array([each.weight * each.seconds * spoken[each.speaker] ** -balance for each in self.entries])
        return np.asarray(chances / (chances.sum() or 1))

    @property
    def seconds(self) -> float:
        """Duration of all clips together, as the index states it."""
        return sum(entry.seconds for entry in self.entries)


def open_corpus(path: str | os.PathLike[str], *, license: str = "", distribute: bool = False) -> Corpus:
    """The corpus in the folder ``path``; clips are read when they are asked for.

    Args:
        path: folder with ``corpus.json`` or ``index.csv``.
        license: license of the media, where the index does not say.
        distribute: whether trained weights may be given away, where the index does not say.

    Raises:
        CorpusError: no index, or something in it or a file that it names is missing or damaged.
    """
    folder = Path(path)
    if (folder / HEADER).exists():
        check_shards(folder)
        return Corpus(list_shards(folder, license))
    entries, refused = list_corpus(folder, license, distribute)
    if refused:
        raise refused[0].error
    reader = KeepingReader(pairs.PairReader(folder))
    return Corpus(replace(entry, reader=reader) for entry in entries)


def list_corpus(folder: Path, license: str = "", distribute: bool = False) -> tuple[list[Entry], list[Refused]]:
    """The entries of a corpus whose other clips may be damaged, and what is known to be; see `open_corpus`.

    Raises:
        CorpusError: no index, or none that can be read.
    """
    if (folder / HEADER).exists():
        return list_shards(folder, license), []
    if not (folder / pairs.INDEX).exists():
        raise CorpusError("corpus", f"a folder with {HEADER} or {pairs.INDEX}", str(folder))
    return pairs.list_pairs(folder, license, distribute)


def open_corpora(paths: Iterable[str | os.PathLike[str]]) -> Corpus:
    """Several corpora as one, in the order given.

    Raises:
        CorpusError: one of them cannot be opened.
    """
    return join(open_corpus(path) for path in paths)


def join(corpora: Iterable[Corpus]) -> Corpus:
    """Opened corpora as one, in the order given."""
    return Corpus(entry for corpus in corpora for entry in corpus.entries)


def write_corpus(path: str | os.PathLike[str], clips: Iterable[Clip]) -> Path:
    """Write ``clips`` as a new folder of pairs; the index comes last, so that a folder with an index is whole.

    The ``checks`` of the clips are not kept; `write_shards` keeps them.

    Raises:
        CorpusError: the folder is a corpus already, there are no clips, or a clip's audio and motion differ in length.
    """
    folder = Path(path)
    if (folder / pairs.INDEX).exists() or (folder / HEADER).exists():
        raise CorpusError("corpus", "a new folder", f"{folder}, which is a corpus already", "choose another name")
    rows = []
    for clip in clips:
        pairs.write_pair(folder, clip)
        described = {name: getattr(clip, name) for name in ("id", "speaker", "split", "seconds", "license", "source")}
        rows.append(
            {**described, "distribute": int(clip.distribute), "weight": clip.weight, "frames": len(clip.landmarks)}
        )
    if not rows:
        raise CorpusError("corpus", "at least one clip to write", "none")
    pairs.write_index(folder, rows)
    return folder
