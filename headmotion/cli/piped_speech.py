"""Speech from standard input or a pipe of the shell, in a file as long as a command needs it."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from headmotion.core.errors import AudioError
from headmotion.core.limits import PIPED_BYTES, limit, remedy

STANDARD_INPUT = Path("-")
BLOCK_BYTES = 1 << 20


def is_piped(path: Path) -> bool:
    """Return whether a path is standard input (``-``), or a pipe that the shell made, such as that of ``<(...)``.

    A pipe with a name of its own may have no writer, and reading it would wait for one.
    """
    return path == STANDARD_INPUT or (path.is_relative_to("/dev") and path.is_fifo())


@contextlib.contextmanager
def speech_file(path: Path) -> Iterator[Path]:
    """Yield the path of speech; what is piped is read to its end into a temporary file, because it is read repeatedly.

    Raises:
        AudioError: nothing is piped, or more than `limits.PIPED_BYTES`.
    """
    if not is_piped(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "piped speech"
        with _opened(path) as source, target.open("wb") as stream:
            _copy(source, stream)
        yield target


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path != STANDARD_INPUT:
        with path.open("rb") as stream:
            yield stream
    elif sys.stdin is None or sys.stdin.isatty():
        got = "a terminal" if sys.stdin else "none"
        raise AudioError(
            "standard input", "speech from a file or program", got, "such as: headmotion animate - < a.wav"
        )
    else:
        yield sys.stdin.buffer


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    count, most = 0, limit(PIPED_BYTES)
    while block := source.read(BLOCK_BYTES):
        count += len(block)
        if count > most:
            raise AudioError("piped speech", f"at most {most:,} bytes", "more", remedy())
        target.write(block)
    if not count:
        raise AudioError("piped speech", "an audio file or a video", "nothing", "see what the program before says")
