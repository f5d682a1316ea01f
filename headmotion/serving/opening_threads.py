"""The threads that open sessions: a flood of pictures delays neither sessions without one nor those that speak."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from .protocol import BusyError
from .server_limits import ServerLimits

P = ParamSpec("P")
T = TypeVar("T")


class OpeningThreads:
    """Calls in threads; those that search a picture for a face are made one by one, with pauses between them.

    For the event loop only.

    Args:
        limits: limits of the server: ``pictures_ms`` and ``pictures``.
    """

    def __init__(self, limits: ServerLimits) -> None:
        self._limits = limits
        self._threads, self._searching = (ThreadPoolExecutor(1, f"headmotion {name}") for name in ("opener", "picture"))
        self._lock, self._waiting = asyncio.Lock(), 0

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns that has no picture to search."""
        return await self._in(self._threads, lambda: function(*args, **kwargs))

    async def search(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns that searches a picture, when it has its turn.

        Raises:
            BusyError: too many wait.
        """
        if self._waiting >= self._limits.pictures:
            raise BusyError(
                "server", f"at most {self._limits.pictures} pictures to search", "one more", "try again later"
            )
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
        spent_s = 0.0

        def measured() -> T:
            nonlocal spent_s
            begin = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                spent_s = time.thread_time() - begin

        try:
            return await self._in(self._searching, measured)
        finally:
            # The next one begins when this one has used no more than its share of the time since it began.
            pause_s = spent_s * max(0.0, 1000 / self._limits.pictures_ms - 1)
            asyncio.get_running_loop().call_later(pause_s, self._lock.release)

    def close(self) -> None:
        """Drop what waits."""
        for threads in (self._threads, self._searching):
            threads.shutdown(cancel_futures=True)

    async def _in(self, threads: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, call)
