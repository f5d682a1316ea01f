"""The network connections of a server: how many there are, how long a request may take, and how one is cut."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

from .server_limits import ServerLimits
from .server_metrics import ServerMetrics

BUFFER = 1 << 16
"""Bytes that the system keeps for a client that does not read, and of one that sends more than is processed."""
REFUSED_S = 1
"""How long a connection that is one too many may take for its request (seconds)."""
FULL = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nRetry-After: 5\r\n\r\n"
    "server: expected at most {} connections, got one more; try again later\n"
)


class Connections:
    """All connections of a server, by the address of the client.

    Args:
        limits: limits of the server.
        metrics: where connections are counted.
        make_protocol: makes the HTTP protocol of a connection.
    """

    def __init__(self, limits: ServerLimits, metrics: ServerMetrics, make_protocol: Callable[..., Any]) -> None:
        self.limits, self.metrics, self._make_protocol = limits, metrics, make_protocol
        self._open: dict[Any, asyncio.Transport] = {}

    def protocol(self, **arguments: Any) -> asyncio.Protocol:
        """Return the protocol of a new connection; uvicorn calls this like the class of an HTTP protocol."""
        return _Guard(self, self._make_protocol(**arguments))

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._open)

    def abort(self, client: Any) -> None:
        """Cut a connection at once, whatever waits to be sent.

        Args:
            client: address of the client, as in an ASGI scope.
        """
        transport = self._open.get(None if client is None else tuple(client))
        if transport is not None:
            transport.abort()

    def add(self, transport: asyncio.Transport) -> bool:
        """Note a new connection, and return whether there is room for it."""
        if len(self._open) >= self.limits.connections:
            self.sweep()
        if len(self._open) >= self.limits.connections:
            self.metrics.refused.labels("connections").inc()
            return False
        self._open[_client(transport)] = transport
        self.metrics.connections.set(len(self._open))
        return True

    def sweep(self) -> None:
        """Forget the connections that were closed."""
        # Asked, because a WebSocket takes over its connection and hears alone that it ended.
        for client in [client for client, transport in self._open.items() if transport.is_closing()]:
            del self._open[client]
        self.metrics.connections.set(len(self._open))


class _Guard(asyncio.Protocol):
    """A connection until its request is complete; then all events go to the protocol that uvicorn made."""

    def __init__(self, connections: Connections, inner: Any) -> None:
        self._connections, self._inner = connections, inner
        self._tail = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        channel = cast(asyncio.Transport, transport)
        self._transport, self._is_refused = channel, not self._connections.add(channel)
        delay = REFUSED_S if self._is_refused else self._connections.limits.handshake_s
        self._timer = asyncio.get_running_loop().call_later(delay, self._time_out)
        if self._is_refused:
            return
        channel.set_write_buffer_limits(BUFFER)
        if (connected := transport.get_extra_info("socket")) is not None:
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                connected.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            # Only now, because the reason of a connection that closes before it has read anything may be lost.
            self._transport.write(FULL.format(self._connections.limits.connections).encode())
            self._transport.close()
            return
        if self._timer is not None:
            self._tail = (self._tail + data)[-(len(data) + 3) :]
            if b"\r\n\r\n" in self._tail:
                self._stop_timer()
            self._tail = self._tail[-3:]
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._is_refused else self._inner.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_timer()
        if not self._is_refused:
            self._inner.connection_lost(error)
            self._connections.sweep()

    def pause_writing(self) -> None:
        if not self._is_refused:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if not self._is_refused:
            self._inner.resume_writing()

    def _time_out(self) -> None:
        if not self._is_refused:
            self._connections.metrics.refused.labels("handshake").inc()
        self._transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _client(transport: asyncio.Transport) -> Any:
    peer = transport.get_extra_info("peername")
    return (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) else id(transport)
