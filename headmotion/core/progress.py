"""The one progress bar: on standard error, on a terminal only, and only for work that takes long."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

from .errors import printable

T = TypeVar("T")

PATIENCE_SECONDS = 2.0
"""Work that ends sooner gets no bar."""

_open_bars: list[Callable[[], None]] = []

Advance = Callable[..., None]
"""``advance(amount=1, label=None)``: so much more is done; a label replaces what stands before the bar."""


def track(
    items: Iterable[T], label: str, total: int | None = None, *, start: int = 0, quiet: bool = False
) -> Iterator[T]:
    """Yield the items while a bar shows how many are done and how long the others will take.

    Args:
        items: anything to loop over.
        label: what stands before the bar.
        total: number of items, those before ``start`` included; None takes their length, if they have one.
        start: items that were done before, in an earlier run.
        quiet: no bar.
    """
    if total is None and isinstance(items, Sized):
        total = start + len(items)
    with progress(label, total, start=start, quiet=quiet) as advance:
        for item in items:
            yield item
            advance()


@contextlib.contextmanager
def progress(
    label: str, total: int | None, *, start: int = 0, counts: bool = True, quiet: bool = False
) -> Iterator[Advance]:
    """Show a bar while the body runs; the body calls the context's value as work is done, see `Advance`.

    Args:
        label: what stands before the bar.
        total: amount of work, ``start`` included; None if unknown.
        start: amount that was done before, in an earlier run.
        counts: whether amounts are items, which are shown as ``3/10``, rather than bytes, which are not.
        quiet: no bar.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda amount=1, label=None: None
        return
    # Imported late: rich's progress takes a tenth of a second, and most calls show none.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn()]
    if counts:
        columns.insert(2, MofNCompleteColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(printable(label), total=total, completed=start)
    # A timer, because the first item alone may take minutes.
    timer = threading.Timer(PATIENCE_SECONDS, bar.start)
    timer.daemon = True
    timer.start()

    def advance(amount: float = 1, label: str | None = None) -> None:
        bar.update(task, advance=amount, description=None if label is None else printable(label))

    def stop() -> None:
        timer.cancel()
        timer.join()  # else the bar might start after it was stopped
        if bar.live.is_started:
            bar.stop()

    _open_bars.append(stop)
    try:
        yield advance
    finally:
        stop()
        _open_bars.remove(stop)


def stop_bars() -> None:
    """Take all bars off the terminal, before an error is printed.

    A bar's own end may come later: the traceback keeps the generator that shows it.
    """
    for stop in list(_open_bars):
        stop()
