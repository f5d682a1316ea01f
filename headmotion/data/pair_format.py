"""Corpora as folders of pairs: ``index.csv``, and for each of its rows ``ID.npz`` and ``ID.flac``.

The index has at least the columns ``id``, ``speaker`` and ``split``; ``ID.npz`` holds ``landmarks`` ``[T, P, D]`` in
pixels and ``fps``; ``ID.flac`` is 16 kHz, mono, and as long as the landmarks. Further columns are `Entry.checks`.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped]

from ..core.errors import CorpusError, MotionError
from ..core.files import atomic_output
from ..core.npz import as_float32, read_arrays
from .clip import SAMPLE_RATE, Clip, Stored, check_values, to_stored
from .index_entry import Entry
from .rejected import Refused

INDEX = "index.csv"
KNOWN = {"id", "speaker", "split", "seconds", "frames", "license", "licence", "source", "distribute", "weight"}


class PairReader:
    """Reads the pairs of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, id: str) -> Stored:
        """The clip ``id``.

        Raises:
            CorpusError: see `read_pair`.
        """
        return read_pair(self.folder / f"{id}.npz", self.folder / f"{id}.flac")


def read_pair(arrays: Path, sound: Path) -> Stored:
    """The clip in an ``.npz`` and a sound file.

    Raises:
        CorpusError: a file is missing or damaged, values are not finite, or audio and landmarks differ in length.
    """
    from ..core.timing import as_fps  # here, because writing a corpus needs no torch

    component = f"clip {arrays.with_suffix('')}"
    try:
        stored = read_arrays(arrays, "landmarks", "fps", "image_size")
        landmarks = as_float32(stored["landmarks"])
        fps = as_fps(str(stored.get("fps", 25)))
        height, width = map(int, stored.get("image_size", (0, 0)))
        audio, rate = soundfile.read(os.fsencode(sound), dtype="int16")
    except (OSError, KeyError, ValueError, TypeError, OverflowError, RuntimeError, MemoryError, MotionError) as error:
        expected = f"a readable .npz and {sound.suffix}"
        raise CorpusError(component, expected, f"{type(error).__name__}: {error}") from None
    if rate != SAMPLE_RATE:
        raise CorpusError(component, f"{SAMPLE_RATE} samples per second", str(rate))
    check_values(component, landmarks, audio, fps)
    return Stored(landmarks, audio, fps, (height, width) if height else None)


def write_pair(folder: Path, clip: Clip) -> None:
    """Write the two files of ``clip`` into ``folder``.

    Raises:
        CorpusError: landmarks or audio have a wrong shape, are not finite, or differ in length.
    """
    stored = to_stored(clip)
    with atomic_output(folder / f"{clip.id}.flac") as temporary:
        soundfile.write(temporary, stored.audio, SAMPLE_RATE, subtype="PCM_16")
    values: dict[str, Any] = {"landmarks": stored.landmarks, "fps": np.array(str(clip.fps))}
    if clip.image_size is not None:
        values["image_size"] = np.array(clip.image_size)
    with atomic_output(folder / f"{clip.id}.npz") as temporary, temporary.open("wb") as stream:
        np.savez(stream, **values)


def list_pairs(folder: Path, license: str = "", distribute: bool = False) -> tuple[list[Entry], list[Refused]]:
    """The entries of a folder of pairs, and the rows of its index that are none; see `open_corpus`.

    Raises:
        CorpusError: no index, or none that can be read.
    """
    reader = PairReader(folder)
    entries: dict[str, Entry] = {}
    refused: list[Refused] = []
    rows = _rows(folder)
    present = {item.name for item in os.scandir(folder)}
    for row in rows:
        try:
            entry = _entry(reader, row, license, distribute)
            if entry.id in entries:
                raise CorpusError(f"corpus {folder}", "ids that differ", f"{entry.id!r} twice")
            for name in (f"{entry.id}.npz", f"{entry.id}.flac"):
                if name not in present:
                    raise CorpusError(f"corpus {folder}", f"the file {name}, because {INDEX} names it", "no such file")
            entries[entry.id] = entry
        except CorpusError as error:
            refused.append(Refused(row.get("id") or "", error, str(folder)))
    return list(entries.values()), refused


def write_index(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write ``index.csv``."""
    with atomic_output(folder / INDEX) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


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


def _entry(reader: PairReader, row: Mapping[str, str], license: str, distribute: bool) -> Entry:
    folder = reader.folder
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
            checks={name: _number(text) for name, text in row.items() if name and name not in KNOWN and text},
            reader=reader,
        )
    except ValueError as error:
        raise CorpusError(f"corpus {folder}", f"numbers in the row {row['id']!r} of {INDEX}", str(error)) from None
    if not (0 < entry.seconds < math.inf and 0 <= entry.weight < math.inf):
        got = f"{entry.seconds:g} and {entry.weight:g}"
        raise CorpusError(f"corpus {folder}", f"seconds above 0 and a weight from 0 in the row {entry.id!r}", got)
    return entry


def _number(text: str) -> int | float | str:
    """A number where the text is one."""
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
