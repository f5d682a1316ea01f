"""A web server that ends by Ctrl-C, once: those that follow do not keep it from storing its sessions."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from uvicorn.server import HANDLED_SIGNALS


class InterruptibleServer(uvicorn.Server):
    """uvicorn's server, except that a second signal does not end it at once; it takes some seconds at most.

    uvicorn handles signals until its loop ends, and raises them again inside of it, where asyncio cancels what still
    runs. Here they are handled until the loop has gone, and the first one is raised then.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `stopped_by_signals`."""
        yield

    @contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """Stop at the first signal that asks for it; raise that signal again at the end, in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        received: list[int] = []

        def stop(number: int, frame: FrameType | None) -> None:
            received.append(number)
            self.should_exit = True

        handlers = {number: signal.signal(number, stop) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])
