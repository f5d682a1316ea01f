"""Media files opened for reading by FFmpeg: the one place that does it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import av.error

from ..core.errors import HeadmotionError
from ..core.files import has_hole

MAX_HOLE = 1 << 26
"""Bytes in a row that were never written, up to which FFmpeg reads a file: it may keep all of them in memory."""

UNWRITTEN = (
    "a long part of it was never written, as in an unfinished download "
    "(if it is a sparse copy of a whole file, cp --sparse=never makes one that is read)"
)

_PLAIN = {"Invalid data found when processing input": "damaged, or of no known format"}
"""What FFmpeg says, in words that say more."""

Failure = Callable[[str], HeadmotionError]
"""Makes the error to raise from FFmpeg's reason."""


@contextlib.contextmanager
def open_container(path: Path, failure: Failure) -> Iterator[Any]:
    """Open a local file of any container that FFmpeg reads; the context's value is PyAV's input container.

    Args:
        path: the file. A playlist may name other files, even remote ones; nothing but local files is ever opened.
        failure: makes the error that is raised if FFmpeg cannot open the file.
    """
    is_unfinished = False
    with contextlib.suppress(OSError):  # FFmpeg says why it cannot open the file
        is_unfinished = has_hole(path, MAX_HOLE)
    if is_unfinished:
        raise failure(UNWRITTEN)
    with as_one_error(failure):
        options = {"protocol_whitelist": "file"}
        # Tags may be in any encoding, and nobody reads them.
        container = av.open(str(path.resolve()), options=options, metadata_errors="ignore")
    with container:
        yield container


@contextlib.contextmanager
def as_one_error(failure: Failure) -> Iterator[None]:
    """Turn whatever FFmpeg raises within the context into the error that ``failure`` makes."""
    try:
        yield
    except av.error.FFmpegError as error:
        raise failure(_PLAIN.get(error.strerror or "", error.strerror) or "a decoding error") from None


def best_stream(container: Any, kind: Literal["video", "audio"]) -> Any | None:
    """Return the stream that FFmpeg would play, or None if there is none that it can decode."""
    stream = container.streams.best(kind)
    return stream if stream is not None and stream.codec_context is not None else None


def start_time(container: Any) -> Fraction:
    """Return the time stamp at which a container begins (seconds); those of its streams count from there."""
    return Fraction(container.start_time or 0, av.time_base)
