"""Corpora: folders of clips with an index.

A folder holds ``index.csv`` with at least the columns ``id``, ``speaker`` and ``split``, and for each row ``ID.npz``
(``landmarks`` ``[T, P, D]`` in pixels, ``fps``) and ``ID.flac`` (16 kHz, mono, as long as the landmarks).
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..core.errors import CorpusError
from ..core.files import atomic_output
from .clip import FULL_SCALE, Clip, Stored, read_clip, write_clip

INDEX = "index.csv"


@dataclass(frozen=True)
class Entry:
    """One row of an index: what is known of a clip without reading it."""

    folder: Path
    id: str
    speaker: str
    split: str
    seconds: float = 1.0
    license: str = ""
    source: str = ""
    distribute: bool = False
    """Whether weights trained on the clip may be given away."""
    weight: float = 1.0


class Corpus:
    """Clips in a fixed order, read on first use and then kept in memory (16-bit audio, float32 landmarks)."""

    def __init__(self, entries: Iterable[Entry], kept: dict[tuple[Path, str], Stored] | None = None) -> None:
        self.entries = tuple(entries)
        self._kept = {} if kept is None else kept

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Clip]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: int) -> Clip:
        """The clip at ``index``. Its landmarks are shared with later calls: do not write into them.

        Raises:
            CorpusError: the clip is damaged.
        """
        entry = self.entries[index]
        key = (entry.folder, entry.id)
        if key not in self._kept:
            self._kept[key] = read_clip(*key)
        stored = self._kept[key]
        return Clip(
            id=entry.id,
            speaker=entry.speaker,
            split=entry.split,
            landmarks=stored.landmarks,
            audio=stored.audio.astype(np.float32) / FULL_SCALE,
            fps=stored.fps,
            weight=entry.weight,
            license=entry.license,
            source=entry.source,
            distribute=entry.distribute,
            image_size=stored.image_size,
        )

    def select(self, split: str | None = None, distributable: bool | None = None) -> Corpus:
        """The clips of a split, and those whose trained weights may (or may not) be given away; possibly none."""
        kept = (
            entry
            for entry in self.entries
            if split in (None, entry.split) and distributable in (None, entry.distribute)
        )
        return Corpus(kept, self._kept)

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
        path: folder with ``index.csv``.
        license: license of the media, where the index has no column ``license`` (or ``licence``).
        distribute: whether trained weights may be given away, where the index has no column ``distribute``.

    Raises:
        CorpusError: no index, or a column, a number or a file is missing, or an id comes twice.
    """
    folder = Path(path)
    entries = [_entry(folder, row, license, distribute) for row in _rows(folder)]
    present = {item.name for item in os.scandir(folder)}
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise CorpusError(f"corpus {folder}", "ids that differ", f"{entry.id!r} twice")
        seen.add(entry.id)
        for name in (f"{entry.id}.npz", f"{entry.id}.flac"):
            if name not in present:
                raise CorpusError(f"corpus {folder}", f"the file {name}, because {INDEX} names it", "no such file")
    return Corpus(entries)


def open_corpora(paths: Iterable[str | os.PathLike[str]]) -> Corpus:
    """Several corpora as one, in the order given.

    Raises:
        CorpusError: one of them cannot be opened.
    """
    return join(open_corpus(path) for path in paths)


def join(corpora: Iterable[Corpus]) -> Corpus:
    """Opened corpora as one, in the order given."""
    parts = list(corpora)
    kept = {key: stored for part in parts for key, stored in part._kept.items()}
    return Corpus((entry for part in parts for entry in part.entries), kept)


def write_corpus(path: str | os.PathLike[str], clips: Iterable[Clip]) -> Path:
    """Write ``clips`` as a new corpus folder; the index comes last, so that a folder with an index is whole.

    Raises:
        CorpusError: the folder is a corpus already, there are no clips, or a clip's audio and motion differ in length.
    """
    folder = Path(path)
    if (folder / INDEX).exists():
        raise CorpusError("corpus", "a new folder", f"{folder}, which is a corpus already", "choose another name")
    entries = []
    for clip in clips:
        write_clip(folder, clip)
        described = {item.name: getattr(clip, item.name) for item in fields(Entry) if item.name != "folder"}
        entries.append({**described, "distribute": int(clip.distribute), "frames": len(clip.landmarks)})
    if not entries:
        raise CorpusError("corpus", "at least one clip to write", "none")
    with atomic_output(folder / INDEX) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(entries[0]))
        writer.writeheader()
        writer.writerows(entries)
    return folder


def _rows(folder: Path) -> list[dict[str, str]]:
    try:
        with (folder / INDEX).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except FileNotFoundError:
        raise CorpusError("corpus", f"a folder with {INDEX}", str(folder)) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError("corpus", f"a readable {INDEX}", f"{folder} ({type(error).__name__})") from None
    if not rows:
        raise CorpusError(f"corpus {folder}", f"at least one row in {INDEX}", "none")
    if (longest := max(len(row.get(None, ())) for row in rows)) > 0:
        raise CorpusError(f"corpus {folder}", f"no row of {INDEX} longer than its head", f"{longest} fields more")
    return rows


def _entry(folder: Path, row: Mapping[str, str], license: str, distribute: bool) -> Entry:
    for column in ("id", "speaker", "split"):
        if not row.get(column):
            raise CorpusError(f"corpus {folder}", f"the column {column!r} in every row of {INDEX}", "none")
    if Path(row["id"]).name != row["id"]:
        raise CorpusError(f"corpus {folder}", "ids that are plain file names", repr(row["id"])[:80])
    try:
        entry = Entry(
            folder=folder,
            id=row["id"],
            speaker=row["speaker"],
            split=row["split"],
            seconds=float(row.get("seconds") or 1.0),
            license=row.get("license") or row.get("licence") or license,
            source=row.get("source") or "",
            distribute=bool(int(row["distribute"])) if row.get("distribute") else distribute,
            weight=float(row.get("weight") or 1.0),
        )
    except ValueError as error:
        raise CorpusError(f"corpus {folder}", f"numbers in the row {row['id']!r} of {INDEX}", str(error)) from None
    if not (0 < entry.seconds < math.inf and 0 <= entry.weight < math.inf):
        got = f"{entry.seconds:g} and {entry.weight:g}"
        raise CorpusError(f"corpus {folder}", f"seconds above 0 and a weight from 0 in the row {entry.id!r}", got)
    return entry
