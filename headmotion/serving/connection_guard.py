"""The guard of a connection: how long its request may take, and how much work it may make."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

if TYPE_CHECKING:
    from .connections import Connections

BUFFER = 1 << 16
"""Bytes that the system keeps for a client that does not read, and of one that sends more than is processed."""
MIN_SLICE, MAX_SLICE = 1 << 9, 1 << 12
"""Bytes that are processed at a time; then all others have their turn."""
SLICE_S = 0.002
"""Processor time that a slice should take: many small frames cost more than samples (seconds)."""
REFUSED_S = 1
"""How long a connection that is one too many may take for its request (seconds)."""
FULL = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nRetry-After: 5\r\n\r\n"
    "server: expected at most {} connections, got one more; try again later\n"
)


class Guard(asyncio.Protocol):
    """Stands between a connection and the protocol that uvicorn made for it.

    A request has to be complete in time. Data is processed in slices, and other clients have their turn after each. A
    client whose data takes more than its share of the processor, such as one that sends pings without end, is read on
    in the next second only; the network holds it back.

    Args:
        connections: all connections of the server.
        inner: the protocol.
    """

    def __init__(self, connections: Connections, inner: Any) -> None:
        self._connections, self._limits, self._inner = connections, connections.limits, inner
        self._tail = b""
        self._timer: asyncio.TimerHandle | None = None
        self._pending, self._slice = bytearray(), MAX_SLICE
        self._answers: list[bytes] = []
        self._is_resting = self._is_feeding = self._is_due = False
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
        self._feed_soon()

    def write(self, data: bytes) -> None:
        """Send data of the protocol; its answers to one slice are sent together.

        Sending lets other threads run Python. A model's thread may then take milliseconds, for each of a hundred pongs.
        """
        if self._is_feeding:
            self._answers.append(bytes(data))
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Send the answers that wait."""
        if self._answers:
            answers, self._answers = b"".join(self._answers), []
            self._transport.write(answers)

    def _feed_soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._feed)

    def _feed(self) -> None:
        """Give a slice of what has arrived to the protocol, if it wants more and the client has time left."""
        self._is_due = False
        if self._transport.is_closing():
            return
        if self._pending and not (self.is_held or self._is_resting):
            self._process()
        is_waiting = self.is_held or self._is_resting
        if self._pending and not is_waiting:
            self._feed_soon()
        if self._pending or is_waiting:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _process(self) -> None:
        part = bytes(self._pending[: self._slice])
        del self._pending[: self._slice]
        begin, self._is_feeding = time.thread_time(), True
        try:
            self._inner.data_received(part)
        finally:
            self._is_feeding = False
            self.flush()
        self._account(time.thread_time() - begin)

    def _account(self, spent: float) -> None:
        """Note processor time of this client's data; one that has used up its share of a second rests."""
        loop = asyncio.get_running_loop()
        fitting = self._slice * SLICE_S / max(spent, SLICE_S / 4)
        self._slice = max(MIN_SLICE, min(MAX_SLICE, int(fitting)))
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
    """The transport of the protocol: when it is read and written is decided by the guard."""

    def __init__(self, transport: asyncio.Transport, guard: Guard) -> None:
        self._transport, self._guard = transport, guard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def set_protocol(self, protocol: Any) -> None:
        self._guard.take_over(protocol)

    def write(self, data: bytes) -> None:
        self._guard.write(data)

    def writelines(self, parts: Iterable[bytes]) -> None:
        self._guard.write(b"".join(parts))

    def close(self) -> None:
        self._guard.flush()
        self._transport.close()

    def pause_reading(self) -> None:
        self._guard.hold(True)

    def resume_reading(self) -> None:
        self._guard.hold(False)
