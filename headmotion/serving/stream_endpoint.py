"""The WebSocket of a session: audio in, motion out, and what happens when either side falls silent."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any, Literal

from starlette.websockets import WebSocket, WebSocketDisconnect

from ..core.errors import HeadmotionError, ServingError
from .access import Access
from .connections import Connections
from .motion_message import MotionMessage
from .protocol import BUSY, FAILED, REFUSED, BusyError, End, decode_samples, error_fields, parse_running
from .server_limits import ServerLimits
from .server_metrics import ServerMetrics
from .session_store import Seat, SessionStore
from .stream_handshake import Handshake, receive_data

CLOSE_S = 2
"""How long a client may take to read why its connection is closed (seconds)."""
CLOSED_BY_CLIENT = (1000, 1001)
"""Codes with which a client closes a session that it does not resume."""

_log = logging.getLogger("headmotion")

Outcome = Literal["finished", "left", "lost", "refused", "failed"]
"""How a connection ended; the session of a lost one waits for its client."""


class _StalledError(ServingError):
    """A client confirms no motion; its session waits as if the connection had broken."""


class StreamEndpoint:
    """The WebSocket endpoint of a server.

    Args:
        store: its sessions.
        access: who may use it.
        connections: its connections.
        limits: its limits.
        metrics: where refusals are counted.
    """

    def __init__(
        self,
        store: SessionStore,
        access: Access,
        connections: Connections,
        limits: ServerLimits,
        metrics: ServerMetrics,
    ) -> None:
        self._handshake = Handshake(store, access, connections, limits)
        self._store, self._connections = store, connections
        self._limits, self._metrics = limits, metrics

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one connection."""
        await websocket.accept()
        try:
            seat, frames = await self._handshake.read(websocket)
        except WebSocketDisconnect:
            return
        except Exception as error:
            await self._refuse(websocket, error)
            return
        outcome: Outcome = "failed"
        try:
            await websocket.send_text(json.dumps(seat.welcome()))
            outcome = await self._converse(websocket, seat, frames)
        except WebSocketDisconnect:
            outcome = "lost"
        except Exception as error:
            outcome = "lost" if isinstance(error, _StalledError) else _kind(error)
            await self._refuse(websocket, error)
        finally:
            self._settle(seat, websocket.client, outcome)
        if outcome == "finished":
            await self._close(websocket, 1000)

    def _settle(self, seat: Seat, client: Any, outcome: Outcome) -> None:
        """Keep or release the session of a connection that has ended."""
        if seat.client != client:  # the client has come back on another connection
            return
        if outcome == "lost":
            self._store.detach(seat)
        else:
            self._store.release(seat, outcome)

    async def _converse(self, websocket: WebSocket, seat: Seat, frames: int) -> Outcome:
        """Receive and send until the session or the connection ends."""
        receiver = asyncio.create_task(self._receive(websocket, seat))
        sender = asyncio.create_task(self._send(websocket, seat, frames))
        try:
            await asyncio.wait((receiver, sender), return_when=asyncio.FIRST_COMPLETED)
        finally:
            receiver.cancel()
            sender.cancel()
            results = await asyncio.gather(receiver, sender, return_exceptions=True)
        ended = [result for result in results if not isinstance(result, asyncio.CancelledError)]
        if isinstance(first := ended[0], BaseException):
            raise first
        return first

    async def _receive(self, websocket: WebSocket, seat: Seat) -> Outcome:
        """Take samples, confirmations and the end, until the client leaves."""
        session, limits = seat.session, self._limits
        window_ends, messages = 0.0, 0
        while True:
            try:
                async with asyncio.timeout(limits.idle_s):
                    data = await receive_data(websocket)
            except TimeoutError:
                if session.has_work or (session.has_ended and not session.is_finished):
                    continue  # it is the client who waits
                got = "none (motion is confirmed, and silence is sent as samples)"
                raise ServingError("server", f"a message within {limits.idle_s:g} s", got) from None
            except WebSocketDisconnect as end:
                if end.code not in CLOSED_BY_CLIENT:
                    return "lost"
                return "finished" if session.is_finished else "left"
            now = time.monotonic()
            if now >= window_ends:
                window_ends, messages = now + 1, 0
            messages += 1
            if messages > limits.messages_per_s:  # nothing more is read from the network meanwhile
                await asyncio.sleep(window_ends - now)
            if seat.client != websocket.client:  # the client has come back, and sends this again
                return "lost"
            if len(data) > limits.message_bytes:
                raise ServingError("server", f"messages of at most {limits.message_bytes} bytes", f"{len(data)}")
            self._take(seat, data, now)

    def _take(self, seat: Seat, data: str | bytes, now: float) -> None:
        """Pass a message on to the session: samples, a confirmation or the end."""
        session = seat.session
        if isinstance(data, bytes):
            samples = decode_samples(data, session.hello)
            session.offer(samples, now)
            self._metrics.samples.labels(seat.worker.name).inc(len(samples) / session.hello.rate)
        elif isinstance(message := parse_running(data), End):
            session.end()
        else:
            session.confirm(message.frames)
        seat.worker.wake()

    async def _send(self, websocket: WebSocket, seat: Seat, frames: int) -> Outcome:
        """Send motion, at most as much as may be unconfirmed, until all of it is confirmed."""
        session = seat.session
        session.confirm(frames)
        sent, samples, said_end = frames, 0, False
        while True:
            session.changed.clear()
            if session.error is not None:
                raise session.error
            for message in list(session.unconfirmed):
                if message.end <= sent:
                    continue
                if message.end - session.confirmed > session.unread and sent > session.confirmed:
                    break
                await self._send_motion(websocket, seat, message)
                sent, samples = message.end, message.samples
            if session.processed - samples >= session.ahead // 8:
                samples = session.processed
                none = MotionMessage(session.empty.values.numpy(), sent, session.empty.fps, samples)
                await self._send_motion(websocket, seat, none)
            if session.is_finished and sent == session.produced:
                if not said_end:
                    said_end = True
                    end = {"type": "end", "frames": session.produced, "samples": session.processed}
                    await websocket.send_text(json.dumps(end))
                if session.confirmed == session.produced:
                    return "finished"
            await self._wait_for_change(seat, sent)

    async def _send_motion(self, websocket: WebSocket, seat: Seat, message: MotionMessage) -> None:
        try:
            async with asyncio.timeout(self._limits.stall_s):
                if seat.session.hello.format == "json":
                    await websocket.send_text(message.to_json())
                else:
                    await websocket.send_bytes(message.to_bytes())
        except TimeoutError:
            raise self._stalled() from None

    async def _wait_for_change(self, seat: Seat, sent: int) -> None:
        """Wait for new motion or a confirmation; a client that is due to confirm has only some time for it."""
        session = seat.session
        is_due = session.is_paused or (session.is_finished and sent == session.produced)
        try:
            async with asyncio.timeout(self._limits.stall_s if is_due else None):
                await session.changed.wait()
        except TimeoutError:
            raise self._stalled() from None

    def _stalled(self) -> _StalledError:
        expected = f"a confirmation of the motion that was sent within {self._limits.stall_s:g} s"
        return _StalledError("session", expected, "none", "read the messages, and send 'received'")

    async def _refuse(self, websocket: WebSocket, error: BaseException) -> None:
        """Send the client the reason why its connection ends, and close it."""
        if not isinstance(error, HeadmotionError):
            _log.error("a connection failed", exc_info=error)
        code = BUSY if isinstance(error, BusyError) else REFUSED if isinstance(error, HeadmotionError) else FAILED
        self._metrics.refused.labels(_kind(error)).inc()
        await self._close(websocket, code, json.dumps(error_fields(error)))

    async def _close(self, websocket: WebSocket, code: int, last_message: str | None = None) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                if last_message is not None:
                    await websocket.send_text(last_message)
                await websocket.close(code)
                while (await websocket.receive())["type"] != "websocket.disconnect":
                    pass  # what the client sent before it knew
        except TimeoutError:
            self._connections.abort(websocket.client)
        except (WebSocketDisconnect, RuntimeError):  # it is closed already
            pass


def _kind(error: BaseException) -> Outcome:
    return "refused" if isinstance(error, HeadmotionError) else "failed"
