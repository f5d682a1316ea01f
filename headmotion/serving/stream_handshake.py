"""The handshake of a session: the first messages of a connection, which open a session or continue one."""

from __future__ import annotations

import asyncio

from starlette.websockets import WebSocket, WebSocketDisconnect

from ..core.errors import ServingError
from .access import Access
from .connections import Connections
from .protocol import ReferencePicture, Resume, parse_opening
from .server_limits import ServerLimits
from .session_store import Seat, SessionStore


class Handshake:
    """The handshakes of a server; arguments as in `StreamEndpoint`."""

    def __init__(self, store: SessionStore, access: Access, connections: Connections, limits: ServerLimits) -> None:
        self._store, self._access, self._connections, self._limits = store, access, connections, limits

    async def read(self, websocket: WebSocket) -> tuple[Seat, int]:
        """Read the opening message; return the session and the number of frames that the client has.

        Raises:
            HeadmotionError: the client is refused.
            WebSocketDisconnect: the client has left.
        """
        try:
            async with asyncio.timeout(self._limits.handshake_s):
                opening = parse_opening(self._checked_text(await receive_data(websocket)))
                self._access.check_token(websocket.headers, opening.token)
                if isinstance(opening, Resume):
                    return await self._resume(websocket, opening), opening.frames
                self._store.check_room()
                self._store.worker(opening)
                picture = None
                if isinstance(opening.reference, ReferencePicture):
                    picture = await self._picture(websocket, opening.reference.picture_bytes)
        except TimeoutError:
            expected = f"a complete hello within {self._limits.handshake_s:g} s"
            raise ServingError("server", expected, "none") from None
        return await self._store.open(opening, picture, websocket.client), 0

    async def _resume(self, websocket: WebSocket, opening: Resume) -> Seat:
        seat, older = await self._store.resume(opening.resume_token, websocket.client)
        if older is not None:
            self._connections.abort(older)
        return seat

    async def _picture(self, websocket: WebSocket, length: int) -> bytes:
        if length > self._limits.picture_bytes:
            raise ServingError("reference", f"a picture of at most {self._limits.picture_bytes} bytes", f"{length}")
        data = await receive_data(websocket)
        if isinstance(data, str) or len(data) != length:
            got = "a text message" if isinstance(data, str) else f"{len(data)} bytes"
            raise ServingError("reference", f"a message of {length} bytes with the picture", got)
        return data

    def _checked_text(self, data: str | bytes) -> str:
        if isinstance(data, bytes):
            raise ServingError("server", "a text message (JSON) first", f"{len(data)} bytes")
        if len(data) > self._limits.message_bytes:
            raise ServingError("server", f"messages of at most {self._limits.message_bytes} bytes", f"{len(data)}")
        return data


async def receive_data(websocket: WebSocket) -> str | bytes:
    """Return the next message.

    Raises:
        WebSocketDisconnect: the client has left.
    """
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
    data: str | bytes | None = message.get("bytes")
    return message["text"] if data is None else data
