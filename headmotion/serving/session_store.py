"""The sessions of a server: opened, resumed, and released when their time is over."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import HeadmotionError, ServingError
from ..core.short_repr import short_repr
from .live_session import LiveSession
from .model_worker import ModelWorker
from .opening import Opened, open_session, reopen_session, welcome_fields
from .opening_threads import OpeningThreads
from .protocol import VERSION, BusyError, Hello, MotionRequest
from .server_limits import ServerLimits
from .server_metrics import ServerMetrics
from .stored_sessions import StoredSessions

_log = logging.getLogger("headmotion")

HANDOVER_S, HANDOVER_POLL_S = 5.0, 0.1
"""How long a server waits for a session that another one may be about to store, and how often it looks (seconds)."""


@dataclass(eq=False)
class Seat:
    """A session with what its client needs to come back."""

    session: LiveSession
    worker: ModelWorker
    resume_token: str
    welcome_fields: Mapping[str, Any]
    """Fields of the welcome message that do not change."""
    client: Any = None
    """Address of the connection that the session uses; None while it waits for its client."""
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)
    """Ends the wait."""
    storing: asyncio.Task[None] | None = field(default=None, repr=False)
    """Gives the session to the servers that share a folder."""

    def welcome(self) -> dict[str, Any]:
        """Return the server's answer to a hello or a resume, as the fields of a message."""
        return {
            "type": "welcome",
            "version": VERSION,
            "resume_token": self.resume_token,
            **self.welcome_fields,
            "samples_received": self.session.received,
            "frames_confirmed": self.session.confirmed,
            "has_ended": self.session.has_ended,
        }


class SessionStore:
    """All sessions of a server; for the event loop only.

    Args:
        workers: the models by name.
        limits: limits of the server.
        metrics: where sessions are counted.
        stored: sessions of an earlier process, and place for those of this one when it stops; None: none are kept.
    """

    def __init__(
        self,
        workers: Mapping[str, ModelWorker],
        limits: ServerLimits,
        metrics: ServerMetrics,
        stored: StoredSessions | None = None,
    ) -> None:
        self.workers, self._limits, self._metrics, self._stored = workers, limits, metrics, stored
        self._seats: dict[str, Seat] = {}
        self._opening = 0
        self._opening_threads = OpeningThreads(limits)

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self._seats)

    def worker(self, request: MotionRequest) -> ModelWorker:
        """Return the model of a request.

        Raises:
            ServingError: no such model; a name is only ever compared with the names that the server was started with.
        """
        name = next(iter(self.workers)) if request.model is None else request.model
        if name not in self.workers:
            raise ServingError("model", f"one of {', '.join(self.workers)}", short_repr(name))
        return self.workers[name]

    def check_room(self) -> None:
        """Raise a BusyError if there is no room for a further session."""
        if len(self._seats) + self._opening >= self._limits.sessions:
            expected = f"at most {self._limits.sessions} sessions"
            raise BusyError("server", expected, "one more", "try again later")

    async def open(self, hello: Hello, picture: bytes | None, client: Any) -> Seat:
        """Open a session.

        Args:
            hello: what the client asks for.
            picture: content of the picture that the reference is found in, if any.
            client: address of the connection.

        Raises:
            HeadmotionError: no room, no such model, or options or a reference that do not fit it.
        """
        self.check_room()
        worker = self.worker(hello)
        self._opening += 1
        try:
            run = self._opening_threads.run if picture is None else self._opening_threads.search
            opened = await run(open_session, worker, hello, picture)
        finally:
            self._opening -= 1
        live = LiveSession(worker.pool.add(opened.session), hello, opened.empty, self._limits)
        self._metrics.opened.labels(worker.name).inc()
        return self._seat(live, worker, secrets.token_urlsafe(24), opened, client)

    def _seat(self, live: LiveSession, worker: ModelWorker, resume_token: str, opened: Opened, client: Any) -> Seat:
        seat = Seat(live, worker, resume_token, welcome_fields(worker.name, live, self._limits, opened), client)
        self._seats[resume_token] = seat
        worker.add(live)
        self._count()
        return seat

    async def _restore(self, resume_token: str) -> Seat | None:
        """Continue a session of an earlier process, if there is one with this token."""
        if self._stored is None or (stored := self._stored.load(resume_token)) is None:
            return None
        self.check_room()
        worker = self.worker(stored.hello.model_copy(update={"model": stored.model}))
        self._opening += 1
        try:
            opened = await self._opening_threads.run(reopen_session, worker, stored)
        finally:
            self._opening -= 1
            self._stored.remove(resume_token)
        live = LiveSession(worker.pool.add(opened.session), stored.hello, opened.empty, self._limits)
        live.restore(stored.counts, stored.unconfirmed)
        return self._seat(live, worker, resume_token, opened, None)

    async def resume(self, resume_token: str, client: Any) -> tuple[Seat, Any]:
        """Return a session that waits for its client, and the address of an older connection that it still has.

        Raises:
            ServingError: no session has this token, or not any more.
        """
        seat = await self._find(resume_token)
        if seat is None:
            expected = f"the token of a session that broke off less than {self._limits.resume_s:g} s ago"
            again = "" if self._stored else ", as after a new start without --state"
            raise ServingError("resume", expected, f"one that is not known{again}", "open a new session")
        if seat.timer is not None:
            seat.timer.cancel()
        older, seat.client, seat.timer = seat.client, client, None
        self._metrics.resumed.inc()
        self._count()
        return seat, older

    async def _find(self, resume_token: str) -> Seat | None:
        """Return a session of this server or from its folder, for which it waits if servers share the folder."""
        end = time.monotonic() + (HANDOVER_S if self._stored is not None and self._stored.is_shared else 0)
        while True:
            seat = self._seats.get(resume_token)
            if seat is not None and seat.storing is not None:
                await seat.storing
                seat = self._seats.get(resume_token)
            seat = seat or await self._restore(resume_token)
            if seat is not None or time.monotonic() >= end:
                return seat
            await asyncio.sleep(HANDOVER_POLL_S)

    def detach(self, seat: Seat) -> None:
        """Let a session wait for its client, in the folder that servers share, if they do."""
        seat.client = None
        seat.timer = asyncio.get_running_loop().call_later(self._limits.resume_s, self.release, seat, "lost")
        if self._stored is not None and self._stored.is_shared and not seat.session.has_ended:
            seat.storing = asyncio.create_task(self._store(seat, self._stored))
        self._count()

    async def _store(self, seat: Seat, stored: StoredSessions) -> None:
        """Move a session into the folder; what cannot be stored stays here."""
        await asyncio.to_thread(seat.worker.set_aside, seat.session)
        try:
            await asyncio.to_thread(stored.save, seat.resume_token, seat.worker.name, seat.session)
        except (HeadmotionError, OSError) as error:
            _log.warning("a session waits at one server only: %s", error)
            seat.worker.add(seat.session)
        else:
            self.release(seat, "stored")
        finally:
            seat.storing = None

    def release(self, seat: Seat, reason: str) -> None:
        """End a session.

        Args:
            seat: the session.
            reason: why, as a label of the metrics.
        """
        if self._seats.pop(seat.resume_token, None) is None:
            return
        if seat.timer is not None:
            seat.timer.cancel()
        seat.worker.remove(seat.session)
        self._metrics.ended.labels(reason).inc()
        self._count()

    def close(self) -> None:
        """End all sessions, on which no thread works any more; they are kept if there is a place for them."""
        if self._stored is not None:
            self._stored.sweep()
        for seat in list(self._seats.values()):
            if self._stored is not None and not seat.session.is_finished and seat.session.error is None:
                try:
                    self._stored.save(seat.resume_token, seat.worker.name, seat.session)
                except (HeadmotionError, OSError) as error:
                    _log.warning("a session is not kept: %s", error)
            self.release(seat, "server stopped")
        self._opening_threads.close()

    def _count(self) -> None:
        present = sum(seat.client is not None for seat in self._seats.values())
        self._metrics.sessions.labels("present").set(present)
        self._metrics.sessions.labels("absent").set(len(self._seats) - present)
