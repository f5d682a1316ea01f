"""Warnings for whoever asked for the work, such as the client of a server, instead of for the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_collecting = threading.local()


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect the library's warnings of this thread in the list that is returned; they do not reach the log."""
    outer: list[str] | None = getattr(_collecting, "texts", None)
    texts: list[str] = []
    _collecting.texts = texts
    try:
        yield texts
    finally:
        _collecting.texts = outer


def _collect(record: logging.LogRecord) -> bool:
    """Return whether a record goes on to the log."""
    texts: list[str] | None = getattr(_collecting, "texts", None)
    if texts is None or record.levelno != logging.WARNING:
        return True
    texts.append(record.getMessage())
    return False


logging.getLogger("headmotion").addFilter(_collect)
