"""The client for programs without asyncio: like a local session, with the model on the server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Self, TypeVar

from numpy.typing import NDArray

from ...core.motion import Motion
from .async_client import AsyncClientSession, connect_async
from .conversation import Reference

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
        """Send samples ``[s]`` or ``[s, channels]``, and return the frames that have arrived, perhaps none.

        Raises:
            ServingError: the server refused the session or what was sent, or cannot be reached any more.
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
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def connect(
    url: str,
    *,
    model: str | None = None,
    sample_rate: int = 16_000,
    channels: int = 1,
    reference: Reference = None,
    controls: Mapping[str, Any] | None = None,
    seed: int = 0,
    fps: str | int | None = None,
    style: str | None = None,
    representation: str | None = None,
    mouth: Literal["auto", "closed", "as-is"] = "auto",
    samples: Literal["float32", "int16"] = "float32",
    format: Literal["binary", "json"] = "binary",
    token: str | None = None,
) -> ClientSession:
    """Open a session on a server.

    Args:
        url: address such as ``ws://127.0.0.1:8765``.
        model: name of a model of the server; None: its first.
        sample_rate: rate of the samples (Hz).
        channels: channels of the samples.
        reference: a picture's path or content, an ``.npz`` with ``landmarks``, points ``[P, D]`` in pixels, or None.
        controls: edits by name, such as ``{"blink": 12}``; see `headmotion.controls.from_options`.
        seed: seed of the generator's noise.
        fps: frames per second, such as 30 or ``30000/1001``; None: the model's own.
        style: a style of the model, if it has styles.
        representation: type that the motion is converted to, such as ``blendshapes``.
        mouth: as in `Pipeline.reference`.
        samples: type in which samples travel; ``int16`` is half as large.
        format: form in which motion travels.
        token: token of the server.

    Raises:
        ServingError: the server cannot be reached, or refuses.
    """
    arguments = {name: value for name, value in locals().items() if name != "url"}
    return ClientSession(connect_async(url, **arguments))
