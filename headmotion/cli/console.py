"""What reaches the terminal: text whose control characters are escaped, after any progress bar has gone."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TextIO

import click

from headmotion.core.errors import one_line, printable
from headmotion.core.progress import stop_bars


def echo(text: str, err: bool = False) -> None:
    """Print lines, in which names from files and plugins may occur; ``err``: on standard error."""
    click.echo("\n".join(map(printable, text.split("\n"))), err=err)


def show(path: Path) -> None:
    """Print a path: its bytes, which need not be valid text, to a file or pipe, and text to a terminal."""
    if sys.stdout.isatty():
        echo(str(path))
    else:
        click.echo(os.fsencode(path))


def fail(message: str, status: int) -> None:
    """Print an error as one line, and exit."""
    stop_bars()
    click.echo(f"error: {one_line(message)}", err=True)
    sys.exit(status)


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
