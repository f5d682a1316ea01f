"""Opening a session: what a hello asks for as a session of the model, and what the welcome says about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..controls import from_options
from ..core.collected_warnings import collected_warnings
from ..core.errors import ServingError
from ..core.motion import Motion
from ..core.timing import as_fps
from ..pipeline.session import Session
from .live_session import LiveSession
from .model_worker import ModelWorker
from .protocol import Hello, ReferencePoints
from .references import read_reference
from .server_limits import ServerLimits
from .stored_sessions import StoredSession


@dataclass(frozen=True)
class Opened:
    """A session of the model, and what its client is told."""

    session: Session
    empty: Motion
    """Its motion of no frames."""
    lookahead_ms: float
    warnings: tuple[str, ...] = ()
    """What the client may want to do better, such as another picture."""


def open_session(worker: ModelWorker, hello: Hello, picture: bytes | None) -> Opened:
    """Make a session.

    Args:
        worker: the model.
        hello: what the client asks for.
        picture: content of the picture in which the reference is found, if the client sent one.

    Raises:
        HeadmotionError: options or a reference that do not fit the model, or a model that needs the whole clip.
    """
    with collected_warnings() as warnings:
        opened = _opened(worker, hello, picture)
    return replace(opened, warnings=tuple(warnings))


def _opened(worker: ModelWorker, hello: Hello, picture: bytes | None) -> Opened:
    pipeline = worker.pipeline
    points = hello.reference if isinstance(hello.reference, ReferencePoints) else None
    reference = read_reference(pipeline, hello, points, picture)
    fps = None if hello.fps is None else as_fps(hello.fps)
    controls = from_options(**hello.controls.model_dump(), seed=hello.seed)
    lookahead = pipeline.lookahead_ms(hello.rate, fps, controls)
    if lookahead is None:
        # It would do all of its work at the end, in one step, while all others wait.
        got = "one that needs the whole clip"
        raise ServingError("session", "a model that streams", got, "send a whole file to /v1/motion")
    session = pipeline.stream(reference, hello.rate, seed=hello.seed, fps=fps, controls=controls, style=hello.style)
    empty = session.push(np.zeros(0, np.float32))
    if hello.representation is not None:
        empty = empty.to(hello.representation)
    return Opened(session, empty, lookahead)


def reopen_session(worker: ModelWorker, stored: StoredSession) -> Opened:
    """Restore a session."""
    session = worker.pipeline.restore(stored.states)
    empty = session.push(np.zeros(0, np.float32))
    if stored.hello.representation is not None:
        empty = empty.to(stored.hello.representation)
    controls = session.arguments["controls"]
    return Opened(session, empty, worker.pipeline.lookahead_ms(session.sample_rate, session.fps, controls) or 0.0)


def welcome_fields(model: str, live: LiveSession, limits: ServerLimits, opened: Opened) -> dict[str, Any]:
    """Return the fields of the welcome message that do not change."""
    motion = live.empty
    _, points, dims = motion.values.shape
    meta = motion.meta()
    return {
        "model": model,
        "fps": str(motion.fps),
        "points": points,
        "dims": dims,
        "lookahead_ms": opened.lookahead_ms,
        "warnings": list(opened.warnings),
        "meta": meta,
        "ahead_samples": live.ahead,
        "unread_frames": live.unread,
        "message_bytes": limits.message_bytes,
        "idle_s": limits.idle_s,
        "session_s": limits.session_s,
        "stall_s": limits.stall_s,
        "resume_s": limits.resume_s,
    }
