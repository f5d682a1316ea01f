"""The videos of a preparation, and what their paths say: the ids of their clips, and a guess at who speaks."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..core.errors import CorpusError
from ..data.landmark_files import SOUND_SUFFIXES

SUFFIXES = "3gp|asf|avi|divx|dv|f4v|flv|m2ts|m4v|mkv|mov|mp4|mpe?g|mts|mxf|nut|ogv|rm|ts|vob|webm|wmv|y4m"
"""Suffixes by which videos in a folder are recognized; a file that is named itself may have any suffix."""

_KNOWN = ", ".join(f".{suffix}" for suffix in SUFFIXES.replace("mpe?g", "mpeg|mpg").split("|"))
_VIDEO = re.compile(rf"\.({SUFFIXES})$", re.IGNORECASE)

SpeakerRule = Literal["auto", "folder", "parent", "file"]
"""What in a path is taken for the speaker's name: the first folder below the given one, the folder that holds the file,
or the name of the file; ``auto`` is ``folder`` if there is one, else ``file``."""


@dataclass(frozen=True)
class VideoFile:
    """A video on disk."""

    path: Path
    name: str
    """Path relative to the folder that the user gave, with ``/`` between folders."""
    size: int
    """In bytes."""


def find_videos(paths: Iterable[Path], exclude: Path) -> list[VideoFile]:
    """Find all videos among files and folders, sorted by name.

    Args:
        paths: files, or folders that are searched; hidden files and folders are left out.
        exclude: folder that is not searched.

    Raises:
        CorpusError: no videos, or two videos with one name.
    """
    videos: dict[str, VideoFile] = {}
    for root in paths:
        for path in _walk(root, exclude.resolve()):
            name = _printable(path.relative_to(root) if path != root else Path(path.name))
            if name in videos and videos[name].path != path:
                remedy = "give the folder that holds both"
                raise CorpusError("preparation", "videos whose names differ", f"{name!r} twice", remedy)
            videos[name] = VideoFile(path, name, path.stat().st_size)
    if not videos:
        expected = "videos, or folders with videos"
        raise CorpusError("preparation", expected, "none", f"in a folder, videos are files named {_KNOWN}")
    return [videos[name] for name in sorted(videos)]


def sound_of(video: Path) -> Path | None:
    """Return the sound file next to a video that has the video's name; None if there is none."""
    candidates = (video.with_suffix(suffix) for suffix in SOUND_SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def clip_id(video_name: str, shot: int, number: int) -> str:
    """Return the id of segment ``number`` of a shot: readable, safe as a file name, and stable."""
    # Readable for people; the hash keeps apart what is equal after that.
    readable = re.sub(r"[^A-Za-z0-9]+", "_", video_name.rpartition(".")[0] or video_name).strip("_")[-60:]
    return f"{readable}-{hashlib.sha256(video_name.encode()).hexdigest()[:8]}-{shot:03d}-{number:02d}"


def guess_speaker(video_name: str, rule: SpeakerRule) -> str:
    """Return the speaker's name by ``rule``."""
    *folders, file = video_name.split("/")
    if rule == "file" or not folders:
        return file.rpartition(".")[0] or file
    return folders[-1] if rule == "parent" else folders[0]


def _walk(root: Path, exclude: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    if not root.is_dir():
        raise CorpusError("preparation", "an existing file or folder", str(root))
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [
            name for name in subfolders if not name.startswith(".") and Path(folder, name).resolve() != exclude
        ]
        paths = (Path(folder, name) for name in files if not name.startswith("."))
        yield from (path for path in paths if _VIDEO.search(path.name) and path.is_file())


def _printable(path: Path) -> str:
    """Return a path as text that any file can hold, even if its bytes are not UTF-8.

    macOS may decompose letters with accents; here they are composed, so that ids are the same on every system.
    """
    text = os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)
