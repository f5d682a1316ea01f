"""What a file is, by its content: users' files have no suffix, another one, or an unusual one."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

from PIL import Image

from ..core.errors import ImageError
from .container import best_stream, open_container
from .image import AVIF, HEIF, is_brand

Kind = Literal["arrays", "picture", "video"]
"""Of files that can hold a pose: an ``.npz``, a picture, a video."""

SUFFIXES: dict[str, Kind] = {
    **dict.fromkeys((".npz", ".npy"), "arrays"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic", ".avif"), "picture"),
    **dict.fromkeys((".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv"), "video"),
}
"""What a damaged file was meant to be."""


def file_kind(path: Path) -> Kind | None:
    """Return what a file is; for one of no known content what its suffix says, None if that says nothing either.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(12)
    if head[:4] == b"PK\x03\x04":
        return "arrays"
    if is_brand(head, HEIF + AVIF) or _is_picture(path):
        return "picture"
    return "video" if head and _is_video(path) else SUFFIXES.get(path.suffix.lower())


def _is_picture(path: Path) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as opened:
                # Pillow recognizes the format, but cannot read it.
                return opened.format != "MPEG"
    except Image.DecompressionBombError:
        return True
    except Exception:  # decoders raise errors of any type on damaged files
        return False


def _is_video(path: Path) -> bool:
    try:
        with open_container(path, lambda reason: ImageError("video", "a video", reason)) as container:
            # FFmpeg draws any text as a terminal would, and takes the names of pictures for granted.
            format = container.format.name
            return not format.endswith(("tty", "_pipe", "image2")) and best_stream(container, "video") is not None
    except ImageError:
        return False
