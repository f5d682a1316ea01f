"""Which videos are meant, and what their paths say: the ids of their clips, and a guess at who speaks."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..core.errors import CorpusError

SUFFIXES = "3gp|asf|avi|divx|dv|f4v|flv|m2ts|m4v|mkv|mov|mp4|mpe?g|mts|mxf|nut|ogv|rm|ts|vob|webm|wmv|y4m"
"""Names in a folder that end so are taken for videos; a file that is named itself may end as it likes."""

_VIDEO = re.compile(rf"\.({SUFFIXES})$", re.IGNORECASE)

SpeakerRule = Literal["auto", "folder", "parent", "file"]
"""Where the speaker's name is taken from: the first folder below the one that was given, the folder that holds the
file, or the file's own name; ``auto`` is ``folder`` where there is one, else ``file``."""


@dataclass(frozen=True)
class Video:
    """A file, its path below what the user gave (``/`` between folders), and its size in bytes."""

    path: Path
    name: str
    size: int


def find_videos(given: Iterable[Path], but: Path) -> list[Video]:
    """All videos among files and folders, sorted by name; hidden files and what lies in ``but`` are left out.

    Raises:
        CorpusError: nothing there, or two videos with one name.
    """
    found: dict[str, Video] = {}
    for root in given:
        for path in _below(root, but.resolve()):
            name = _text(path.relative_to(root) if path != root else Path(path.name))
            if name in found and found[name].path != path:
                remedy = "give the folder that holds both"
                raise CorpusError("preparation", "videos whose names differ", f"{name!r} twice", remedy)
            found[name] = Video(path, name, path.stat().st_size)
    if not found:
        expected = "videos, or folders with videos"
        raise CorpusError("preparation", expected, "none", f"in a folder, names count that end in .({SUFFIXES})")
    return [found[name] for name in sorted(found)]


def clip_id(name: str, shot: int, number: int) -> str:
    """The id of piece ``number`` of a shot: readable, safe as a file name, and always the same for one name."""
    readable = re.sub(r"[^A-Za-z0-9]+", "_", name.rpartition(".")[0] or name).strip("_")[-60:]
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}-{shot:03d}-{number:02d}"


def speaker_of(name: str, rule: SpeakerRule) -> str:
    """A guess at who speaks."""
    *folders, file = name.split("/")
    if rule == "file" or not folders:
        return file.rpartition(".")[0] or file
    return folders[-1] if rule == "parent" else folders[0]


def _below(root: Path, but: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    if not root.is_dir():
        raise CorpusError("preparation", "an existing file or folder", str(root))
    for folder, folders, files in os.walk(root):
        folders[:] = [each for each in folders if not each.startswith(".") and Path(folder, each).resolve() != but]
        paths = (Path(folder, name) for name in files if not name.startswith("."))
        yield from (path for path in paths if _VIDEO.search(path.name) and path.is_file())


def _text(path: Path) -> str:
    """A path as text that any file can hold, even if its bytes are not UTF-8."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
