"""The client for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Unpack
from urllib.parse import urlsplit

from numpy.typing import NDArray

from ...core.errors import ServingError
from ...core.lazy import import_optional
from ...core.motion import Motion
from ..motion_message import MotionMessage
from .connect_options import ConnectOptions
from .conversation import Conversation
from .hello import stream_address

MAX_MESSAGE = 64 << 20
"""Largest message from a server (bytes)."""
OPEN_S = 30
"""How long a server may take for its welcome (seconds)."""
RETRY_S = 0.25
"""Wait between two tries to come back (seconds)."""


class AsyncClientSession:
    """A session on a server. `push` samples, and iterate over the motion, in one task or in two.

    A connection that breaks is made again, and the session goes on without loss, if the server still has it.
    """

    def __init__(self, url: str, conversation: Conversation) -> None:
        self._url, self._conversation = stream_address(url), conversation
        self._socket: Any = None
        self._arrived: asyncio.Queue[MotionMessage | None] = asyncio.Queue()
        self._progress = asyncio.Event()
        self._failure: Exception | None = None
        self._reader: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._is_iterated = self._is_closed = False

    @property
    def welcome(self) -> Mapping[str, Any]:
        """What the server said about the session: model, rate, look-ahead, limits."""
        return self._conversation.welcome

    async def push(self, samples: NDArray[Any]) -> None:
        """Send any number of samples ``[s]`` or ``[s, channels]``; waits while the server has enough of them.

        Motion that arrives meanwhile is kept until it is taken. If another task iterates over the session, the server
        goes on as fast as that task reads.

        Raises:
            AudioError: samples of another shape or type, NaN, infinite or far beyond full scale.
            ServingError: another number of channels than the session has; the session was ended or closed; the server
                refused it or what was sent, or cannot be reached any more.
        """
        self._check_open()
        for data in self._conversation.pack(samples):
            while not self._conversation.has_room(data):
                self._progress.clear()
                self._check_open()
                if not self._is_iterated:  # nobody else confirms, and the server would pause
                    await self._send(self._conversation.confirmation())
                await self._progress.wait()
            self._check_open()
            async with self._sending:
                self._conversation.note_sent(data)
                await self._send(data)

    async def end(self) -> None:
        """End the speech; the remaining motion follows.

        Raises:
            ServingError: see `push`.
        """
        self._check_open()
        async with self._sending:
            self._conversation.has_ended = True
            await self._send('{"type": "end"}')

    def __aiter__(self) -> AsyncIterator[MotionMessage]:
        """Yield the motion as it arrives, until all of it has."""
        return self._messages()

    async def take(self) -> list[MotionMessage]:
        """Return the motion that has arrived, without waiting.

        Raises:
            ServingError: see `push`.
        """
        messages = []
        while not self._arrived.empty():
            if (message := self._arrived.get_nowait()) is not None:
                messages.append(message)
        if messages:
            await self._send(self._conversation.confirmation(messages[-1]))
        else:
            self._check()
        return messages

    def motion(self, messages: Sequence[MotionMessage]) -> Motion:
        """Return consecutive messages as one motion."""
        return self._conversation.motion(messages)

    async def close(self) -> None:
        """Leave; a session that has not ended is dropped by the server."""
        self._is_closed = True
        self._progress.set()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    async def open(self) -> None:
        """Connect, and read what the server says.

        Raises:
            ServingError: it cannot be reached, or refuses.
        """
        await self._connect()
        self._reader = asyncio.create_task(self._read())

    async def _messages(self) -> AsyncIterator[MotionMessage]:
        self._is_iterated = True
        try:
            while (message := await self._arrived.get()) is not None:
                await self._send(self._conversation.confirmation(message))
                yield message
        finally:
            self._is_iterated = False
            self._progress.set()
        self._arrived.put_nowait(None)
        self._check()

    async def _connect(self) -> None:
        websockets = import_optional("websockets", "headmotion[serve]", "client", ServingError)
        direct = {"proxy": None} if urlsplit(self._url).hostname in ("127.0.0.1", "localhost", "::1") else {}
        try:
            opening = websockets.connect(self._url, compression=None, max_size=MAX_MESSAGE, **direct)
            socket = await asyncio.wait_for(opening, OPEN_S)
        except websockets.InvalidStatus as error:
            raise _refusal(error.response) from None
        except (OSError, TimeoutError, websockets.InvalidHandshake, websockets.InvalidURI) as error:
            raise ServingError("client", "a server", f"none at {self._url} ({error})", "start it") from error
        try:
            for message in self._conversation.opening():
                await socket.send(message)
            for message in self._conversation.begin(await asyncio.wait_for(socket.recv(), OPEN_S)):
                await socket.send(message)
        except BaseException as error:
            socket.transport.abort()  # nothing else would close it
            if isinstance(error, websockets.ConnectionClosed | TimeoutError):
                raise ServingError("client", "a welcome", f"none ({error})") from error
            raise
        self._socket = socket

    async def _read(self) -> None:
        """Read messages until the end, and come back where the connection breaks."""
        import websockets

        try:
            while not self._conversation.is_finished:
                try:
                    message = self._conversation.read(await self._socket.recv())
                except websockets.ConnectionClosed:
                    await self._come_back()
                    continue
                if message is not None:
                    self._arrived.put_nowait(message)
                self._progress.set()
        except Exception as error:
            self._failure = error
        self._arrived.put_nowait(None)
        self._progress.set()

    async def _come_back(self) -> None:
        """Connect again, as long as the server keeps the session."""
        end = time.monotonic() + self.welcome["resume_s"]
        while True:
            try:
                async with self._sending:
                    await self._connect()
                return
            except ServingError as error:
                if error.__cause__ is None or time.monotonic() > end:  # refused, or too late
                    raise
            await asyncio.sleep(RETRY_S)

    async def _send(self, data: str | bytes) -> None:
        from websockets import ConnectionClosed

        with contextlib.suppress(ConnectionClosed):  # the reader comes back, and sends samples again
            await self._socket.send(data)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _check_open(self) -> None:
        """Refuse what would be sent after the end, which no answer of the server would follow."""
        self._check()
        if self._is_closed or self._conversation.has_ended:
            raise not_open("closed" if self._is_closed else "ended")


@asynccontextmanager
async def connect_async(url: str, **options: Unpack[ConnectOptions]) -> AsyncIterator[AsyncClientSession]:
    """Open a session on a server; as a context manager, it is closed at the end.

    Args:
        url: address such as ``ws://127.0.0.1:8765``.
        options: see `ConnectOptions`.

    Raises:
        ServingError: an address or option that does not fit; the server cannot be reached, or refuses.
    """
    session = AsyncClientSession(url, Conversation(options))
    await session.open()
    try:
        yield session
    finally:
        await session.close()


def not_open(why: str) -> ServingError:
    """Return the error of a session that is used after it was ``ended`` or ``closed``."""
    return ServingError("session", "an open session", f"one that was {why}", "connect again")


def _refusal(response: Any) -> ServingError:
    """Return the error in the body of an HTTP response."""
    try:
        fields = json.loads(response.body)
        return ServingError(*(str(fields[name]) for name in ("component", "expected", "got", "remedy")))
    except (ValueError, KeyError, TypeError):
        body = (response.body or b"").decode("utf-8", "replace")
        return ServingError("client", "a server of motion", f"HTTP status {response.status_code} {body}")
