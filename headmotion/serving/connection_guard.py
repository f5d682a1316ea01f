"""The guard of a connection: how long its request may take, and how much work it may make."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

if TYPE_CHECKING:
    from .connections import Connections

BUFFER = 1 << 16
"""Bytes that the system keeps for a client that does not read, and of one that sends more than is processed."""
SLICE = 1 << 12
"""Bytes that are processed at a time; others have their turn when the client's time is over."""
REFUSED_S = 1
"""How long a connection that is one too many may take for its request (seconds)."""
FULL = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nRetry-After: 5\r\n\r\n"
    "server: expected at most {} connections, got one more; try again later\n"
)


class Guard(asyncio.Protocol):
    """Stands between a connection and the protocol that uvicorn made for it.

    A request has to be complete in time. A client whose data takes more than its share of the processor, such as one
    that sends pings without end, is read on in the next second only; the network holds it back.

    Args:
        connections: all connections of the server.
        inner: the protocol.
    """

    def __init__(self, connections: Connections, inner: Any) -> None:
        self._connections, self._limits, self._inner = connections, connections.limits, inner
        self._tail = b""
        self._timer: asyncio.TimerHandle | None = None
        self._pending = bytearray()
        self._is_resting = self._is_feeding = False
        self._second, self._spent = 0.0, 0.0
        self.is_held = False
        """Whether the protocol wants no data for now."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        channel = cast(asyncio.Transport, transport)
        self._transport, self._is_refused = channel, not self._connections.add(channel)
        delay = REFUSED_S if self._is_refused else self._limits.handshake_s
        self._timer = asyncio.get_running_loop().call_later(delay, self._time_out)
        if self._is_refused:
            return
        channel.set_write_buffer_limits(BUFFER)
        if (connected := transport.get_extra_info("socket")) is not None:
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                connected.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        self._inner.connection_made(_GuardedTransport(channel, self))

    @override
    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            # Only now, because the reason of a connection that closes before it has read anything may be lost.
            self._transport.write(FULL.format(self._limits.connections).encode())
            self._transport.close()
            return
        if self._timer is not None:
            self._tail = (self._tail + data)[-(len(data) + 3) :]
            if b"\r\n\r\n" in self._tail:
                self._stop_timer()
            self._tail = self._tail[-3:]
        self._pending += data
        self._feed()

    @override
    def eof_received(self) -> bool | None:
        return None if self._is_refused else self._inner.eof_received()

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self._stop_timer()
        self._pending.clear()
        if not self._is_refused:
            self._connections.remove(self._transport)
            self._inner.connection_lost(error)

    @override
    def pause_writing(self) -> None:
        if not self._is_refused:
            self._inner.pause_writing()

    @override
    def resume_writing(self) -> None:
        if not self._is_refused:
            self._inner.resume_writing()

    def take_over(self, inner: Any) -> None:
        """Let another protocol have the connection, as that of a WebSocket does."""
        self._inner = inner

    def hold(self, is_held: bool) -> None:
        """Give the protocol no more data, or go on."""
        self.is_held = is_held
        asyncio.get_running_loop().call_soon(self._feed)

    def _feed(self) -> None:
        """Give what has arrived to the protocol, in slices, while it wants more and the client has time left."""
        if self._is_feeding or self._transport.is_closing():
            return
        self._is_feeding = True
        try:
            while self._pending and not (self.is_held or self._is_resting):
                part = bytes(self._pending[:SLICE])
                del self._pending[:SLICE]
                begin = time.thread_time()
                self._inner.data_received(part)
                self._account(time.thread_time() - begin)
        finally:
            self._is_feeding = False
        if self._pending or self.is_held or self._is_resting:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _account(self, spent: float) -> None:
        """Note processor time of this client's data; one that has used up its share of a second rests."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._second:
            self._second, self._spent = loop.time() + 1, 0.0
        self._spent += spent
        if self._spent > self._limits.read_ms / 1000:
            self._is_resting = True
            loop.call_at(self._second, self._wake)

    def _wake(self) -> None:
        self._is_resting, self._spent = False, 0.0
        self._feed()

    def _time_out(self) -> None:
        if not self._is_refused:
            self._connections.metrics.refused.labels("handshake").inc()
        self._transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _GuardedTransport:
    """The transport that the protocol sees: whether it is read is decided by the guard."""

    def __init__(self, transport: asyncio.Transport, guard: Guard) -> None:
        self._transport, self._guard = transport, guard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def set_protocol(self, protocol: Any) -> None:
        self._guard.take_over(protocol)

    def pause_reading(self) -> None:
        self._guard.hold(True)

    def resume_reading(self) -> None:
        self._guard.hold(False)
