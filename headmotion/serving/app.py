"""The web application of a server: its paths, and how mistakes are answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from ..core.errors import HeadmotionError, ServingError
from ..core.short_repr import short_repr
from ..pipeline.pipeline import Pipeline
from .access import Access, TokenError
from .connections import Connections
from .model_worker import ModelWorker
from .protocol import STREAM_PATH, VERSION, BusyError, error_fields
from .server_limits import ServerLimits
from .server_metrics import ServerMetrics
from .session_store import SessionStore
from .stored_sessions import StoredSessions
from .stream_endpoint import StreamEndpoint
from .uploads import TooLargeError
from .whole_files import WholeFiles

FILE_PATH = "/v1/motion"
"""Path of whole files."""
CLOSE = {"Connection": "close"}
"""Header that ends each connection after its response, so that only the first request has to be timed."""
PAGE = {"Vary": "Origin", "Access-Control-Allow-Headers": "Authorization, Content-Type"}
"""Headers for a page that may call the server."""


class Application:
    """The ASGI application of a server, with the threads of its models.

    Args:
        models: the models by name; the first is the default.
        access: who may use it.
        limits: its limits.
        connections: its connections.
        metrics: its metrics.
        stored: sessions of an earlier process, if they are kept.
        routes: further paths; pages of other origins are refused there, too.
    """

    def __init__(
        self,
        models: Mapping[str, Pipeline],
        access: Access,
        limits: ServerLimits,
        connections: Connections,
        metrics: ServerMetrics,
        stored: StoredSessions | None = None,
        routes: Sequence[BaseRoute] = (),
    ) -> None:
        self._access, self._metrics = access, metrics
        workers = {name: ModelWorker(name, pipeline, limits, metrics) for name, pipeline in models.items()}
        self._store = SessionStore(workers, limits, metrics, stored)
        self._files = WholeFiles(self._store, limits, metrics)
        stream = StreamEndpoint(self._store, access, connections, limits, metrics)
        self.asgi = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/metrics", self._show_metrics),
                Route("/headmotion.js", self._client),
                Route(FILE_PATH, self._file, methods=["POST"]),
                Route(STREAM_PATH, self._no_upgrade),
                WebSocketRoute(STREAM_PATH, stream.serve),
                *routes,
                WebSocketRoute("/{path:path}", self._no_stream),
            ],
            middleware=[Middleware(_Gate, access=access, metrics=metrics)],
            exception_handlers={HTTPException: self._refuse, HeadmotionError: _answer, Exception: _answer},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, asgi: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        for worker in self._store.workers.values():
            worker.start(loop)
        try:
            yield
        finally:
            for worker in self._store.workers.values():
                await asyncio.to_thread(worker.stop)
            self._store.close()
            self._files.close()

    async def _health(self, request: Request) -> Response:
        facts: dict[str, Any] = {"status": "ok", "version": VERSION}
        if self._access.is_authorized(request.headers):
            facts |= {"models": list(self._store.workers), "sessions": len(self._store)}
        return JSONResponse(facts)

    async def _show_metrics(self, request: Request) -> Response:
        self._access.check_token(request.headers)
        return Response(self._metrics.exposition(), media_type="text/plain; version=0.0.4")

    async def _client(self, request: Request) -> Response:
        module = (files("headmotion.serving") / "headmotion.js").read_bytes()
        return Response(module, media_type="text/javascript")

    async def _file(self, request: Request) -> Response:
        self._access.check_token(request.headers)
        return await self._files(request)

    async def _no_upgrade(self, request: Request) -> Response:
        """Answer a plain request for the WebSocket, such as one through a proxy that drops the header."""
        remedy = "use a client of WebSockets; a proxy has to pass on the headers Upgrade and Connection"
        error = ServingError("server", "a request to open a WebSocket", "one without the header Upgrade", remedy)
        return JSONResponse(error_fields(error), 426, {"Upgrade": "websocket"})

    async def _no_stream(self, websocket: WebSocket) -> None:
        """Refuse a WebSocket at another path than that of sessions."""
        error = ServingError("server", f"a WebSocket at {STREAM_PATH}", f"one at {short_repr(websocket.url.path)}")
        await websocket.send_denial_response(JSONResponse(error_fields(error), 404))

    async def _refuse(self, request: Request, error: Exception) -> Response:
        """Answer a request for an unknown path, or by a method that a path does not have."""
        assert isinstance(error, HTTPException)
        allowed = (error.headers or {}).get("Allow")
        paths = [route.path for route in self.asgi.routes if isinstance(route, Route)]
        expected = f"the method {allowed} for this path" if allowed else f"a path out of {', '.join(paths)}"
        got = request.method if allowed else short_repr(request.url.path)
        return JSONResponse(error_fields(ServingError("server", expected, got)), error.status_code, error.headers)


class _Gate:
    """Refuses pages of other origins before anything else happens, and adds the headers of all responses."""

    def __init__(self, app: ASGIApp, access: Access, metrics: ServerMetrics) -> None:
        self._app, self._access, self._metrics = app, access, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._access.check_origin(headers)
        except HeadmotionError as error:
            self._metrics.refused.labels("origin").inc()
            await JSONResponse(error_fields(error), 403)(scope, receive, _with_headers(send, CLOSE))
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        extra = (
            CLOSE if "origin" not in headers else {**CLOSE, **PAGE, "Access-Control-Allow-Origin": headers["origin"]}
        )
        app = Response(status_code=204) if scope["method"] == "OPTIONS" and "origin" in headers else self._app
        await app(scope, receive, _with_headers(send, extra))


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    """Return a send that adds headers to a response."""
    added = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]

    async def extended(message: Any) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            message = message | {"headers": [*message.get("headers", ()), *added]}
        await send(message)

    return extended


async def _answer(request: Request, error: Exception) -> Response:
    """Answer a mistake with its fields as JSON."""
    statuses = {BusyError: 503, TooLargeError: 413, TokenError: 401, HeadmotionError: 400, Exception: 500}
    status = next(status for kind, status in statuses.items() if isinstance(error, kind))
    return JSONResponse(error_fields(error), status)
