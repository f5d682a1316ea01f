"""A progress bar that shows itself only where it is of use."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 2.0
"""Work that ends sooner gets no bar."""


def with_progress(items: Iterable[T], total: int | None, label: str, quiet: bool = False) -> Iterator[T]:
    """The items, with a bar and the time left on standard error, if that is a terminal and the work takes long."""
    if quiet or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    task = progress.add_task(label, total=total)
    begin = time.monotonic()
    try:
        for item in items:
            yield item
            progress.advance(task)
            if not progress.live.is_started and time.monotonic() - begin > PATIENCE_SECONDS:
                progress.start()
    finally:
        progress.stop()
