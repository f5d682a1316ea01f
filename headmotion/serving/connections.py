"""The network connections of a server: how many there are, and how one is cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .connection_guard import Guard
from .server_limits import ServerLimits
from .server_metrics import ServerMetrics


class Connections:
    """All connections of a server, by the address of the client.

    Args:
        limits: limits of the server.
        metrics: where connections are counted.
        make_protocol: makes the HTTP protocol of a connection; None where another process has the connections.
    """

    def __init__(
        self, limits: ServerLimits, metrics: ServerMetrics, make_protocol: Callable[..., Any] | None = None
    ) -> None:
        self.limits, self.metrics, self._make_protocol = limits, metrics, make_protocol
        self._open: dict[Any, asyncio.Transport] = {}

    def protocol(self, **arguments: Any) -> asyncio.Protocol:
        """Return the protocol of a new connection; uvicorn calls this like the class of an HTTP protocol."""
        assert self._make_protocol is not None
        return Guard(self, self._make_protocol(**arguments))

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
            self.metrics.refused.labels("connections").inc()
            return False
        self._open[_client(transport)] = transport
        self.metrics.connections.set(len(self._open))
        return True

    def remove(self, transport: asyncio.Transport) -> None:
        """Forget a connection that was closed."""
        self._open.pop(_client(transport), None)
        self.metrics.connections.set(len(self._open))


def _client(transport: asyncio.Transport) -> Any:
    peer = transport.get_extra_info("peername")
    return (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) else id(transport)
