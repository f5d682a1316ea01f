"""What reaches the terminal: text whose control characters are escaped, after any progress bar has gone."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import click

from headmotion.core.errors import one_line, printable
from headmotion.core.files import naming_file
from headmotion.core.progress import stop_bars

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells use it."""


def echo(text: str, err: bool = False) -> None:
    """Print lines, in which names from files and plugins may occur; ``err``: on standard error."""
    _write("\n".join(map(printable, text.split("\n"))), err)


def show(path: Path) -> None:
    """Print a path: its bytes, which need not be valid text, to a file or pipe, and text to a terminal."""
    if sys.stdout.isatty():
        echo(str(path))
    else:
        _write(os.fsencode(path))


def _write(content: str | bytes, err: bool = False) -> None:
    with naming_file(Path("standard error" if err else "standard output")):  # for a full disk
        click.echo(content, err=err)


def print_error(message: str) -> None:
    """Print an error as one line."""
    stop_bars()
    click.echo(f"error: {one_line(message)}", err=True)


def run_until_interrupted(run: Callable[[], object]) -> int:
    """Run what Ctrl-C is meant to end, such as a server, and return the exit status; the end is no error."""
    try:
        run()
    except KeyboardInterrupt:
        echo("\nstopped" if sys.stderr.isatty() else "stopped", err=True)  # a terminal shows ^C in the line
        return INTERRUPTED
    gc.collect()  # refused sessions are cycles; their resamplers would make soxr print twenty lines at the end
    return 0


def replace_closed_streams() -> None:
    """Discard what is printed where standard output or error is closed (``>&-``).

    Python has None for such a stream, and the next file that is opened would get its number.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def print_warnings() -> None:
    """Let warnings of the library be printed on standard error, one line each."""
    handler = _Handler()
    handler.setFormatter(_Formatter("warning: %(message)s"))
    logging.basicConfig(handlers=[handler])


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to what is standard error now, because a progress bar replaces it to keep its line free."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _Formatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = one_line(record.message)
        return super().formatMessage(record)
