"""The index of a folder of pairs: ``index.csv``, with a row per clip."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import CorpusError
from ..core.files import read_regular, reason_of
from ..core.short_repr import short_repr
from .clip import Clip
from .index_entry import IndexEntry
from .pair_format import PairReader, check_plain_id, pair_names, video_name
from .rejected import RejectedClip

INDEX = "index.csv"
REQUIRED_COLUMNS = ("id", "speaker", "split")
KNOWN_COLUMNS = {"id", "speaker", "split", "seconds", "frames", "license", "licence", "source", "distribute", "weight"}


def index_row(clip: Clip) -> dict[str, Any]:
    """Return the row of a clip in ``index.csv``."""
    return {
        "id": clip.id,
        "speaker": clip.speaker,
        "split": clip.split,
        "seconds": clip.seconds,
        "license": clip.license,
        "source": clip.source,
        "distribute": int(clip.distribute),
        "weight": clip.weight,
        "frames": len(clip.landmarks),
    }


def write_index(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write ``index.csv``."""
    with (folder / INDEX).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def list_pairs(
    folder: Path, license: str = "", distribute: bool = False
) -> tuple[list[IndexEntry], list[RejectedClip]]:
    """Return the entries of a folder of pairs, and the rows of its index that are none; see `open_corpus`.

    Raises:
        CorpusError: no index, or one that cannot be read.
    """
    reader = PairReader(folder)
    entries: dict[str, IndexEntry] = {}
    rejected: list[RejectedClip] = []
    rows = _read_rows(folder)
    present = {item.name for item in os.scandir(folder)}  # one call, not two per clip
    for row in rows:
        try:
            entry = _parse_row(reader, row, license, distribute)
            if video_name(entry.id) in present:
                entry = replace(entry, tracks=entry.tracks | {"frames"})
            if entry.id in entries:
                raise CorpusError(f"corpus {folder}", "ids that differ", f"{entry.id!r} twice")
            for name in pair_names(entry.id):
                if name not in present:
                    raise CorpusError(f"corpus {folder}", f"the file {name}, because {INDEX} names it", "no such file")
            entries[entry.id] = entry
        except CorpusError as error:
            rejected.append(RejectedClip(row.get("id") or "", error, str(folder)))
    return list(entries.values()), rejected


def _read_rows(folder: Path) -> list[dict[str, str]]:
    try:
        # Spreadsheets begin UTF-8 with a byte order mark.
        table = csv.DictReader(io.StringIO(read_regular(folder / INDEX).decode("utf-8-sig"), newline=""))
        rows, columns = list(table), table.fieldnames or ()
    except FileNotFoundError:
        raise CorpusError("corpus", f"a folder with {INDEX}", str(folder)) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError("corpus", f"a readable {INDEX}", f"{folder} ({reason_of(error)})") from None
    if missing := [name for name in REQUIRED_COLUMNS if name not in columns]:
        expected = f"the column {missing[0]!r} in {INDEX}, whose columns are separated by commas"
        raise CorpusError(f"corpus {folder}", expected, f"the columns {', '.join(map(repr, columns)) or 'none'}")
    if not rows:
        raise CorpusError(f"corpus {folder}", f"at least one row in {INDEX}", "none")
    # Fields beyond the header are collected under the key None.
    if (excess := max(len(row.get(None, ())) for row in rows)) > 0:
        raise CorpusError(f"corpus {folder}", f"no row of {INDEX} longer than its header", f"{excess} fields more")
    return rows


def _parse_row(reader: PairReader, row: Mapping[str, str], license: str, distribute: bool) -> IndexEntry:
    component = f"corpus {reader.folder}"
    for column in REQUIRED_COLUMNS:
        if not row.get(column):
            raise CorpusError(component, f"the column {column!r} in every row of {INDEX}", "none")
    check_plain_id(component, row["id"])
    if (free := _number(component, row, "distribute", distribute)) not in (0, 1):
        raise CorpusError(component, f"0 or 1 as distribute in the row {row['id']!r} of {INDEX}", f"{free:g}")
    entry = IndexEntry(
        folder=str(reader.folder),
        id=row["id"],
        speaker=row["speaker"],
        split=row["split"],
        seconds=_number(component, row, "seconds", 1.0),
        # Both spellings, because people write these files by hand.
        license=row.get("license") or row.get("licence") or license,
        source=row.get("source") or "",
        distribute=bool(free),
        weight=_number(component, row, "weight", 1.0),
        checks={name: _parse(text) for name, text in row.items() if name and name not in KNOWN_COLUMNS and text},
        reader=reader,
    )
    if not (0 < entry.seconds < math.inf and 0 <= entry.weight < math.inf):
        got = f"{entry.seconds:g} and {entry.weight:g}"
        raise CorpusError(component, f"seconds above 0 and a weight from 0 in the row {entry.id!r}", got)
    return entry


def _number(component: str, row: Mapping[str, str], column: str, default: float) -> float:
    text = row.get(column) or ""
    try:
        return float(text) if text else default
    except ValueError:
        expected = f"a number as {column} in the row {row['id']!r} of {INDEX}"
        raise CorpusError(component, expected, short_repr(text)) from None


def _parse(text: str) -> int | float | str:
    """Return a number if the text is one, else the text."""
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    # Larger floats are not exact integers.
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
