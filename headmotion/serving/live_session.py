"""A session of a client: samples that wait to be processed, and motion that waits to be sent and confirmed."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ServingError
from ..core.motion import Motion
from ..pipeline.pool import PooledSession
from .motion_message import MotionMessage
from .protocol import Hello
from .server_limits import ServerLimits

Samples = NDArray[Any]
"""Samples ``[s]`` or ``[s, channels]``."""


@dataclass(frozen=True)
class Progress:
    """What a step did for a session; made by the thread of the model, applied by the event loop."""

    samples: int
    """Samples per channel that have been processed so far."""
    message: MotionMessage | None = None
    """New frames, or None."""
    is_finished: bool = False
    """Whether these are the last frames."""
    error: Exception | None = None
    """What ended the session, if anything did."""
    received_at: float = 0.0
    """When the newest processed samples arrived (monotonic seconds)."""


class LiveSession:
    """Samples and motion of one client. The event loop owns it; `feed` and `progress` are for the model's thread.

    Args:
        member: the session in the pool of its model.
        hello: what the client asked for.
        empty: a motion without frames, as the session sends it, with its points and rate.
        limits: limits of the server.
    """

    def __init__(self, member: PooledSession, hello: Hello, empty: Motion, limits: ServerLimits) -> None:
        self.member, self.hello, self.empty, self._limits = member, hello, empty, limits
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Samples, float]] = deque()  # with the time of arrival
        self._waiting_samples = 0
        self._was_flushed = False
        self._processed = self._produced = 0  # of the model's thread
        self.has_ended = False
        """Whether the client has sent all of its speech."""
        self.received = 0
        """Samples per channel that the client has sent."""
        self.processed = 0
        """Samples per channel that have been processed."""
        self.unconfirmed: deque[MotionMessage] = deque()
        """Motion that the client has not confirmed."""
        self.produced = self.confirmed = 0
        """Frames that were generated, and those that the client has."""
        self.is_finished = False
        """Whether all frames were generated."""
        self.error: Exception | None = None
        """What ended the session before its time."""
        self.changed = asyncio.Event()
        """Set when there is something new to send."""

    def counts(self) -> dict[str, int]:
        """Return how far the session is, for `restore`; samples that wait are left out, because the client has them."""
        return {"processed": self._processed, "produced": self._produced, "confirmed": self.confirmed}

    def restore(self, counts: Mapping[str, int], unconfirmed: Iterable[MotionMessage]) -> None:
        """Continue where `counts` was called; the pool's session stands there already."""
        self._processed = self.processed = self.received = counts["processed"]
        self._produced = self.produced = counts["produced"]
        self.confirmed = counts["confirmed"]
        self.unconfirmed.extend(unconfirmed)

    @property
    def ahead(self) -> int:
        """Samples that a client may send before they are processed."""
        return int(self._limits.ahead_s * self.hello.rate)

    @property
    def unread(self) -> int:
        """Frames that a client may leave unconfirmed."""
        return max(1, int(self._limits.unread_s * self.empty.fps))

    @property
    def is_paused(self) -> bool:
        """Whether the client has to confirm motion before more is generated."""
        return self.produced - self.confirmed > self.unread

    @property
    def has_work(self) -> bool:
        """Whether the next step has something to do; see `feed`."""
        return not self.is_paused and (self._waiting_samples > 0 or (self.has_ended and not self._was_flushed))

    def offer(self, samples: Samples, now: float) -> None:
        """Queue samples of the client.

        Args:
            samples: the samples.
            now: time of their arrival (monotonic seconds).

        Raises:
            ServingError: the client is too fast, sends after the end, or has sent all that a session may have.
        """
        count, rate = len(samples), self.hello.rate
        if self.has_ended:
            raise ServingError("session", "no samples after the end", f"{count} samples", "open another session")
        if self.received + count > self._limits.session_s * rate:
            expected = f"at most {self._limits.session_s:g} s of speech in a session"
            raise ServingError("session", expected, "more", "open another session")
        if self.received + count - self.processed > self.ahead:
            expected = f"at most {self.ahead} samples ahead of those that are processed"
            got = f"{self.received + count - self.processed}"
            raise ServingError("session", expected, got, "wait for 'samples' of the motion messages")
        self.received += count
        with self._lock:
            self._waiting.append((samples, now))
            self._waiting_samples += count

    def end(self) -> None:
        """Note the end of the speech.

        Raises:
            ServingError: there was no speech, or its end is known already.
        """
        if self.has_ended or not self.received:
            got = "a second one" if self.has_ended else "one before any samples"
            raise ServingError("session", "one end, after the samples", got)
        self.has_ended = True

    def confirm(self, frames: int) -> None:
        """Note that the client has the first ``frames`` frames, and forget them.

        Raises:
            ServingError: more frames than were generated.
        """
        if frames > self.produced:
            expected = f"at most the {self.produced} frames that were sent"
            raise ServingError("session", expected, f"a confirmation of {frames}")
        self.confirmed = max(self.confirmed, frames)
        while self.unconfirmed and self.unconfirmed[0].end <= self.confirmed:
            self.unconfirmed.popleft()
        self.changed.set()

    def apply(self, progress: Progress) -> None:
        """Take what the model's thread did."""
        self.processed = progress.samples
        self.is_finished, self.error = progress.is_finished, progress.error
        if progress.message is not None and len(progress.message):
            self.unconfirmed.append(progress.message)
            self.produced = progress.message.end
        self.changed.set()

    def feed(self) -> float:
        """Push what a step may process into the pool, and return when the newest of it arrived.

        Raises:
            HeadmotionError: samples that are refused.
        """
        budget, arrived = max(1, int(self._limits.step_audio_ms * self.hello.rate / 1000)), 0.0
        while budget > 0 and self._waiting:
            with self._lock:
                samples, arrived = self._waiting.popleft()
                if len(samples) > budget:
                    self._waiting.appendleft((samples[budget:], arrived))
                    samples = samples[:budget]
                self._waiting_samples -= len(samples)
            self.member.push(samples)
            self._processed += len(samples)
            budget -= len(samples)
        if self.has_ended and not self._waiting and not self._was_flushed:
            self._was_flushed = True
            self.member.flush()
        return arrived

    def progress(self, motion: Motion | None, arrived: float) -> Progress:
        """Return what a step did, as a message for the event loop."""
        shown = self.empty if motion is None else motion
        if motion is not None and self.hello.representation is not None:
            shown = motion.to(self.hello.representation)
        values: NDArray[np.float32] = shown.values.numpy()
        message = MotionMessage(values, self._produced, Fraction(shown.fps), self._processed)
        self._produced = message.end
        return Progress(self._processed, message, self._was_flushed, None, arrived)

    def failure(self, error: Exception) -> Progress:
        """Return the end of a session by an error, as a message for the event loop."""
        return Progress(self._processed, error=error)
