"""A server: models, an address, and the rules of who may use it; in the foreground, or in a thread of a program."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..core.errors import ServingError
from ..core.lazy import require_packages
from ..pipeline.pipeline import Pipeline
from .server_limits import ServerLimits

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from .app import Application
    from .connections import Connections
    from .interruptible import InterruptibleServer

PACKAGES = ("starlette", "uvicorn", "websockets", "prometheus_client", "python_multipart")
BACKLOG = 128
"""Connections that may wait to be accepted. As many are accepted at a time, and sessions wait meanwhile."""
START_S = 30
"""How long a server may take to start (seconds)."""


class Server:
    """A server of live sessions and whole files; see docs/serve.md.

    Use it as a context manager, in a thread, or call `run`.

    Args:
        models: the models by the names that clients use; the first is the default.
        host: address to listen on.
        port: port; 0 takes a free one.
        token: what clients have to know; necessary if others than this machine can reach the address.
        origins: origins of web pages that may call the server, besides those of this machine.
        limits: limits of sessions, sizes and times.
        state: folder in which sessions wait for a server that replaces this one; None: they end with it.
        is_state_shared: whether several servers use the folder, and a client may come back to any of them.
        routes: further paths, as Starlette's routes.

    Raises:
        ServingError: no model, an address that needs a token, an invalid origin, or a port in use.
    """

    def __init__(
        self,
        models: Mapping[str, Pipeline],
        host: str = "127.0.0.1",
        port: int = 8765,
        token: str | None = None,
        origins: Iterable[str] = (),
        limits: ServerLimits | None = None,
        state: str | os.PathLike[str] | None = None,
        is_state_shared: bool = False,
        routes: Sequence[BaseRoute] = (),
    ) -> None:
        require_packages(PACKAGES, "headmotion[serve]", "server", ServingError)
        from uvicorn.protocols.http.h11_impl import H11Protocol

        from .access import Access
        from .app import Application
        from .connections import Connections
        from .server_metrics import ServerMetrics
        from .stored_sessions import StoredSessions

        if not models:
            raise ServingError("server", "at least one model", "none")
        if is_state_shared and state is None:
            raise ServingError("server", "a folder to share", "none", "give --state")
        self.limits, access, metrics = limits or ServerLimits(), Access(host, token, origins), ServerMetrics()
        connections = Connections(self.limits, metrics, H11Protocol)
        stored = None if state is None else StoredSessions(Path(state), self.limits.resume_s, is_state_shared)
        application = Application(models, access, self.limits, connections, metrics, stored, routes)
        self._socket = _bound(host, port)
        self._server = _uvicorn_server(application, connections, self.limits)
        # What clients do wrong is answered and counted; in the log it would be a way to fill a disk.
        logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
        logging.getLogger("python_multipart.multipart").setLevel(logging.ERROR)
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Address for HTTP, such as ``http://127.0.0.1:8765``."""
        return f"http://{self._authority}"

    @property
    def url(self) -> str:
        """Address for clients of sessions, such as ``ws://127.0.0.1:8765``."""
        return f"ws://{self._authority}"

    @property
    def _authority(self) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def run(self) -> None:
        """Serve until the process is interrupted or terminated."""
        with self._server.stopped_by_signals():
            self._server.run([self._socket])

    def __enter__(self) -> Self:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self.run, name="headmotion server", daemon=True)
        self._thread.start()
        end = time.monotonic() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise ServingError("server", f"to start within {START_S} s", "no start", "see its log")
            time.sleep(0.01)
        return self

    def __exit__(self, *exception: Any) -> None:
        """Stop, and end all sessions."""
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join()


def _uvicorn_server(application: Application, connections: Connections, limits: ServerLimits) -> InterruptibleServer:
    import uvicorn

    from .interruptible import InterruptibleServer

    config = uvicorn.Config(
        application.asgi,
        http=connections.protocol,  # type: ignore[arg-type]  # called like a class
        ws="websockets-sansio",
        ws_max_size=max(limits.message_bytes, limits.picture_bytes),
        ws_ping_interval=10,
        ws_ping_timeout=10,
        ws_per_message_deflate=False,
        loop="asyncio",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
        timeout_graceful_shutdown=5,
        backlog=BACKLOG,
    )
    return InterruptibleServer(config)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Return whether a message of uvicorn is logged; to it, the refusal of a page of another origin is a bug."""
    return "without completing handshake" not in str(record.msg)


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address."""
    bound = None
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        # So that whoever reads the address before the first connection is accepted can connect, and waits.
        bound.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        if bound is not None:
            bound.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ServingError("server", "a free address", f"{host}:{port} ({reason})", "choose another port") from None
    return bound
