"""The client for programs without asyncio: like a local session, with the model on the server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Self, TypeVar, Unpack

from numpy.typing import NDArray

from ...core.motion import Motion
from .async_client import AsyncClientSession, connect_async, not_open
from .connect_options import ConnectOptions

T = TypeVar("T")


class ClientSession:
    """A session on a server, used like a local one. Close it, or use it as a context manager."""

    def __init__(self, opening: AbstractAsyncContextManager[AsyncClientSession]) -> None:
        self._opening = opening
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="headmotion client", daemon=True)
        self._thread.start()
        try:
            self._session = self._run(opening.__aenter__())
        except BaseException:
            self._stop()
            raise

    @property
    def welcome(self) -> Mapping[str, Any]:
        """What the server said about the session: model, rate, look-ahead, limits."""
        return self._session.welcome

    def push(self, samples: NDArray[Any]) -> Motion:
        """Send any number of samples ``[s]`` or ``[s, channels]``; return the frames that have arrived, perhaps none.

        Raises:
            AudioError: samples of another shape or type, NaN, infinite or far beyond full scale.
            ServingError: another number of channels than the session has; the session was flushed or closed; the server
                refused it or what was sent, or cannot be reached any more.
        """

        async def push() -> Motion:
            await self._session.push(samples)
            return self._session.motion(await self._session.take())

        return self._run(push())

    def flush(self) -> Motion:
        """End the speech, and return the remaining frames.

        Raises:
            ServingError: see `push`.
        """

        async def flush() -> Motion:
            await self._session.end()
            return self._session.motion([message async for message in self._session])

        return self._run(flush())

    def close(self) -> None:
        """Leave; closing twice does nothing."""
        if self._thread.is_alive():
            self._run(self._opening.__aexit__(None, None, None))
            self._stop()

    def __enter__(self) -> Self:
        """Return the session, which is open already."""
        return self

    def __exit__(self, *exception: Any) -> None:
        """Close the session."""
        self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():
            work.close()
            raise not_open("closed")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def connect(url: str, **options: Unpack[ConnectOptions]) -> ClientSession:
    """Open a session on a server.

    Args:
        url: address such as ``ws://127.0.0.1:8765``.
        options: see `ConnectOptions`.

    Raises:
        ServingError: an address or option that does not fit; the server cannot be reached, or refuses.
    """
    return ClientSession(connect_async(url, **options))
