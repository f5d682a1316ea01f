"""A pool: many live sessions that come and go, advanced together in batches."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor
from typing_extensions import Unpack

from ..core.errors import HeadmotionError
from ..core.motion import Motion
from .batched_calls import Work, run_together
from .motion_options import MotionOptions
from .reference import ReferenceLike
from .session import Session
from .snapshot import save_snapshot

if TYPE_CHECKING:
    from .pipeline import Pipeline


class Pool:
    """Sessions of one pipeline. Each gets the frames that it would get alone, within 1e-5 of the unit frame.

    `PooledSession.push` queues samples; `step` advances all sessions that have enough of them, frame by frame, in one
    batch. Sessions may be opened, pushed to and closed at any time and from any thread, also while another thread is in
    `step`. Calls of `step` wait for each other.

    Args:
        pipeline: the built parts.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._stepping, self._joining = threading.Lock(), threading.Lock()
        self._members: dict[PooledSession, None] = {}  # a set in the order of opening

    def open(
        self, reference: ReferenceLike = None, sample_rate: int = 16_000, **options: Unpack[MotionOptions]
    ) -> PooledSession:
        """Start a session in the pool; arguments as in `Pipeline.stream`."""
        return self.add(self._pipeline.stream(reference, sample_rate, **options))

    def add(self, session: Session) -> PooledSession:
        """Take over a session of the same pipeline, for example a restored one.

        Raises:
            HeadmotionError: a session of another pipeline, or one that has ended.
        """
        if not isinstance(session, Session):
            raise HeadmotionError("pool", "a Session, as of pipe.stream or pipe.restore", f"a {type(session).__name__}")
        if session.pipeline is not self._pipeline:
            raise HeadmotionError("pool", "a session of its own pipeline", "one of another")
        session.end("one that is in a pool")
        member = PooledSession(self, session, self._stepping)
        with self._joining:
            self._members[member] = None
        return member

    def step(self) -> dict[PooledSession, Motion]:
        """Process all queued samples, and return the new frames of each session that has any.

        A session that was flushed returns its remaining frames and leaves the pool. A session that fails leaves the
        pool with its `PooledSession.error`, and the others are not disturbed.
        """
        with self._stepping:
            with self._joining:
                members = [member for member in self._members if member.has_work]
            flushed = [member.was_flushed for member in members]  # once, because another thread may flush meanwhile
            works = [member.work(flush) for member, flush in zip(members, flushed, strict=True)]
            motions: dict[PooledSession, Motion] = {}
            for member, flush, result in zip(members, flushed, run_together(works), strict=True):
                if isinstance(result, Exception):
                    member.error = result
                elif len(result):
                    motions[member] = result
                if flush or member.error:
                    self.remove(member)
            return motions

    def remove(self, member: PooledSession) -> None:
        """Let a session leave, if it is in the pool; see `PooledSession.close`."""
        with self._joining:
            self._members.pop(member, None)

    def __repr__(self) -> str:
        return f"<Pool: {len(self)} sessions of {self._pipeline!r}>"

    def __len__(self) -> int:
        """Return the number of sessions in the pool."""
        return len(self._members)

    def __contains__(self, member: object) -> bool:
        """Return whether a session is in the pool."""
        return member in self._members


class PooledSession:
    """A session in a pool. Its frames come from `Pool.step`.

    Args:
        pool: the pool.
        session: the session, which is not used elsewhere.
        stepping: the lock that the pool holds while it uses the session.
    """

    def __init__(self, pool: Pool, session: Session, stepping: threading.Lock) -> None:
        self._pool, self._session, self._stepping = pool, session, stepping
        self.was_flushed = False
        """Whether `flush` was called."""
        self.error: Exception | None = None
        """What ended the session before its time, if anything did."""

    @property
    def has_work(self) -> bool:
        """Whether the next step has something to process."""
        return self.was_flushed or self._session.has_queue

    @property
    def deviation(self) -> Tensor:
        """Standard deviations of the frames of the latest step that had work for this session; see `Session`."""
        return self._session.deviation

    def push(self, samples: Any, listener: Any = None) -> None:
        """Queue the next samples; arguments and errors as in `Session.push`.

        What is refused changes nothing, in this session and in others.
        """
        self._check_open()
        self._session.enqueue(samples, listener)

    def flush(self) -> None:
        """End the audio: the next step returns the remaining frames, and the session leaves the pool.

        Raises:
            AudioError: nothing was pushed.
            HeadmotionError: the session was flushed, has failed or has left the pool.
        """
        self._check_open()
        self._session.check_audio()
        self.was_flushed = True

    def close(self) -> None:
        """Leave the pool at once; what is queued is dropped. Closing twice does nothing."""
        self._pool.remove(self)

    def snapshot(self, path: str | os.PathLike[str]) -> Path:
        """Write a snapshot as `Session.snapshot` does, queued samples included; `Pool.add` takes the restored one.

        Raises:
            HeadmotionError: as in `Session.snapshot`, or the session was flushed, has failed or has left the pool.
        """
        with self._stepping:
            self._check_open()
            return save_snapshot(self._session, path)

    def work(self, flush: bool) -> Work[Motion]:
        """Process the queue, and the end of the audio if asked for; see `run_together`."""
        return (yield from (self._session.finish() if flush else self._session.advance()))

    def _check_open(self) -> None:
        if self.error is not None:
            failed = f"one that failed ({self.error})"
            raise HeadmotionError("session", "an open session", failed, "open another") from self.error
        if self.was_flushed or self not in self._pool:
            ended = "one that was flushed" if self.was_flushed else "one that has left the pool"
            raise HeadmotionError("session", "an open session", ended, "open another")
