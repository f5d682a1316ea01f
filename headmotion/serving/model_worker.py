"""The thread of a model: it steps the sessions of all clients in one batch."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

from ..core.errors import HeadmotionError
from ..core.motion import Motion
from ..pipeline.pipeline import Pipeline
from .live_session import LiveSession, Progress
from .server_limits import ServerLimits
from .server_metrics import ServerMetrics

_log = logging.getLogger("headmotion")

Updates = list[tuple[LiveSession, Progress]]


class ModelWorker:
    """One pool and one thread for all sessions of a model, which come and go at any time.

    Args:
        name: name of the model.
        pipeline: the model.
        limits: limits of the server.
        metrics: where steps are counted.
    """

    def __init__(self, name: str, pipeline: Pipeline, limits: ServerLimits, metrics: ServerMetrics) -> None:
        self.name, self.pipeline = name, pipeline
        self._limits, self._metrics = limits, metrics
        self.pool = pipeline.pool()
        self._lock, self._stepping = threading.Lock(), threading.Lock()
        self._sessions: set[LiveSession] = set()
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"headmotion {name}", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the thread, whose results go to the event loop."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its current step."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def add(self, session: LiveSession) -> None:
        """Take in a session."""
        with self._lock:
            self._sessions.add(session)

    def remove(self, session: LiveSession) -> None:
        """Let a session go; what it has queued is dropped."""
        with self._lock:
            self._sessions.discard(session)
        session.member.close()

    def set_aside(self, session: LiveSession) -> None:
        """Work no more on a session, which stays in the pool; wait for the step that may have it."""
        with self._lock:
            self._sessions.discard(session)
        with self._stepping:
            pass

    def wake(self) -> None:
        """Notify the thread that a session has work."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            begin = time.monotonic()
            with self._stepping:
                if updates := self._step():
                    self._loop.call_soon_threadsafe(self._apply, updates)
            if updates:
                duration = time.monotonic() - begin
                self._metrics.observe_step(self.name, duration, len(updates))
                # Sessions that come in meanwhile share the next step, and a fast client does not take all the time.
                self._stopping.wait(max(0.0, self._limits.step_ms / 1000 - duration))

    def _step(self) -> Updates:
        """Feed the sessions that have something to do, step the pool, and return what became of them."""
        with self._lock:
            due = [session for session in self._sessions if session.has_work]
        updates: Updates = []
        arrivals: dict[LiveSession, float] = {}
        for session in due:
            try:
                arrivals[session] = session.feed()
            except Exception as error:
                updates.append((session, self._failure(session, error)))
        motions = self.pool.step() if arrivals else {}
        for session, arrived in arrivals.items():
            updates.append((session, self._progress(session, motions.get(session.member), arrived)))
            if session.has_work:
                self._wake.set()
        return updates

    def _progress(self, session: LiveSession, motion: Motion | None, arrived: float) -> Progress:
        if session.member.error is not None:
            return self._failure(session, session.member.error)
        try:
            return session.progress(motion, arrived)
        except Exception as error:  # a converter of a plugin
            return self._failure(session, error)

    def _failure(self, session: LiveSession, error: Exception) -> Progress:
        if not isinstance(error, HeadmotionError):
            _log.error("a session of the model %s failed", self.name, exc_info=error)
        return session.failure(error)

    def _apply(self, updates: Updates) -> None:
        """Give the sessions their results, in the event loop."""
        now = time.monotonic()
        for session, progress in updates:
            session.apply(progress)
            if progress.message is not None and len(progress.message):
                self._metrics.observe_frames(self.name, len(progress.message), now - progress.received_at)
