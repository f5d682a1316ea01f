"""Tasks from rows, each with its own picture, output and options: those of a table, or mappings in Python."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import HeadmotionError, did_you_mean
from ..core.files import is_inside, read_regular, reason_of
from ..core.limits import TEXT_BYTES, limit
from ..core.short_repr import short_repr
from ..core.unique_keys import parse_json
from .generate_options import GenerateOptions
from .generate_tasks import Task, TaskError, check_tasks, expand_paths, require_use
from .style_file import is_style_file

COLUMNS = ("audio", "image", "output", "options")
"""Columns of a table; only the first is required."""


def tasks_from_table(
    path: Path, output: Path | None, suffix: str, image: Path | None, defaults: Mapping[str, Any]
) -> list[Task]:
    """Read a table with the columns `COLUMNS`, separated by commas.

    Paths are relative to ``output`` (those of outputs, if it is given) or to the table's folder; outputs stay within
    it, because tables come from other people too. Options are JSON, or words such as ``seed=3 lips=1.2``. Blank lines
    are ignored. Whether the files are there is the matter of each job, so that one that is missing does not keep the
    others from being done.

    Args:
        path: the table, UTF-8 with a header.
        output: folder of the outputs.
        suffix: of outputs that a row does not name.
        image: picture where a row names none.
        defaults: options where a row has none.

    Raises:
        HeadmotionError: the table cannot be read; otherwise the first bad row, by its number, the header being row 1;
            or a default without effect on any row.
    """
    folder = path.absolute().parent
    tasks = []
    for number, row in _read_table(path):
        try:
            if (relative := row.get("output")) and not is_inside(os.path.normpath(relative)):
                remedy = "--output names another folder"
                raise HeadmotionError("output", "a path within the folder of the outputs", short_repr(relative), remedy)
            tasks.append(_task(row, f"row {number}", folder, output or folder, image, defaults, suffix))
        except HeadmotionError as error:
            raise _in_row(path, number, error) from None
    try:
        check_tasks(tasks)
    except TaskError as error:
        raise _in_row(path, int(error.task.name.removeprefix("row ")), error) from None
    require_use(tasks, defaults)
    return tasks


def tasks_from_rows(
    rows: Sequence[str | os.PathLike[str] | Mapping[str, Any]],
    output: Path,
    suffix: str,
    image: Path | None,
    defaults: Mapping[str, Any],
) -> list[Task]:
    """Return a task per audio path, or per mapping with the keys `COLUMNS`, whose options are a mapping too.

    A path may be a folder or a pattern, so something must be there; the files of a mapping are looked for by its job.

    Raises:
        HeadmotionError: the first row that is not usable, by its number from 0; none at all; or a default without
            effect on any row.
    """
    tasks: list[Task] = []
    for number, row in enumerate(rows):
        if isinstance(row, Mapping):
            unknown = [name for name in row if name not in COLUMNS]
            if unknown or "audio" not in row:
                got = f"the key {unknown[0]!r}" if unknown else "no key 'audio'"
                raise HeadmotionError(f"job {number}", f"the keys {', '.join(COLUMNS)}", got)
            try:
                tasks.append(_task(row, f"job {number}", Path(), output, image, defaults, suffix))
            except HeadmotionError as error:
                raise HeadmotionError(f"job {number}", error.expected, error.got, error.remedy) from None
        else:
            tasks += expand_paths([row], output, suffix, image, GenerateOptions.parse(defaults))
    require_use(check_tasks(tasks), defaults)
    return tasks


def _read_table(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a table that are not blank, with their numbers."""
    try:
        text = read_regular(path, limit(TEXT_BYTES)).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        _check_columns(path, list(reader.fieldnames or ()))
        return [(reader.line_num, row) for row in reader if any(row.values())]
    except (OSError, ValueError, csv.Error) as error:
        raise HeadmotionError("jobs", "a table of comma-separated values", f"{path} ({reason_of(error)})") from None


def _check_columns(path: Path, names: list[str]) -> None:
    unknown = [name for name in names if name not in COLUMNS]
    double = [name for k, name in enumerate(names) if name in names[:k]]
    if not (unknown or double or "audio" not in names):
        return
    remedy = did_you_mean(unknown[0].lower(), COLUMNS) if unknown else ""
    if unknown and any(sign in unknown[0] for sign in ";\t"):
        remedy = "separate columns by commas"
    got = f"{double[0]!r} twice" if double else "no column 'audio'"
    got = f"the column {short_repr(unknown[0])}" if unknown else got
    raise HeadmotionError(str(path), f"the columns {', '.join(COLUMNS)}", got, remedy)


def _task(
    row: Mapping[str, Any],
    name: str,
    folder: Path,
    output: Path,
    image: Path | None,
    defaults: Mapping[str, Any],
    suffix: str,
) -> Task:
    if None in row:  # where csv puts the cells beyond the header
        raise HeadmotionError(name, f"at most {len(COLUMNS)} cells", "more", "quote cells that contain commas")
    if not row["audio"]:
        raise HeadmotionError(name, "a path in the column audio", "an empty cell")
    audio = _path(folder, row["audio"], "audio")
    picture = _path(folder, row["image"], "image") if row.get("image") else image
    relative = row.get("output") or f"{audio.stem}{suffix}"
    options = row.get("options") or {}
    parsed = _parse_options(options) if isinstance(options, str) else options
    merged = GenerateOptions.parse({**defaults, **_with_paths(parsed, folder)})
    merged.check()
    task = Task(name, audio, picture, output / relative, merged)
    for option, purpose in task.unused_options(parsed).items():
        raise HeadmotionError(f"option {option}", purpose, "none", "leave it out")
    return task


def _parse_options(text: str) -> dict[str, Any]:
    """Return options from JSON, or from words such as ``seed=3 look_at=[10,0] close_silence=true``."""
    try:
        if text.lstrip().startswith("{"):
            return dict(parse_json(text))
        words = [word.partition("=") for word in shlex.split(text)]
        if not all(equals for _, equals, _ in words):
            raise ValueError("a word without =")
        names = [name.replace("-", "_") for name, _, _ in words]
        if len(set(names)) < len(names):
            raise ValueError("an option twice")
        return {name: _value(word[2]) for name, word in zip(names, words, strict=True)}
    except (ValueError, RecursionError) as error:
        example = "JSON, or words such as seed=3 lips=1.2"
        raise HeadmotionError("options", example, f"{short_repr(text)} ({reason_of(error)})") from None


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _with_paths(options: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return options whose files are relative to the folder."""
    files = {name: options[name] for name in ("landmarks", "listener_audio") if isinstance(options.get(name), str)}
    style = options.get("style")
    if isinstance(style, str) and is_style_file(str(folder / style)):  # otherwise it is a name
        files["style"] = style
    return {**options, **{name: str(_path(folder, path, name)) for name, path in files.items()}}


def _path(folder: Path, cell: str | os.PathLike[str], column: str) -> Path:
    """Return the path of a file, which the job looks for."""
    if "\0" in os.fspath(cell):
        raise HeadmotionError(column, "a path", short_repr(cell))
    return folder / cell


def _in_row(table: Path, number: int, error: HeadmotionError) -> HeadmotionError:
    component = "" if error.component.startswith("row ") else f", {error.component}"
    return HeadmotionError(f"{table}, row {number}{component}", error.expected, error.got, error.remedy)
