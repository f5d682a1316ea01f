"""Sessions that outlive their process: what a server writes when it stops, and its successor continues."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import HeadmotionError
from ..core.files import atomic_output, read_regular, write_text
from .live_session import LiveSession
from .motion_message import MotionMessage
from .protocol import Hello

MAX_BYTES = 1 << 28
"""Largest file of counts and of motion that is read; what a client may leave unconfirmed is far less."""


@dataclass(frozen=True)
class StoredSession:
    """A session as a file of its states and a file of its counts."""

    model: str
    """Name of the model."""
    hello: Hello
    """What the client asked for."""
    states: Path
    """Snapshot, for `Pipeline.restore`."""
    counts: Mapping[str, int]
    """Samples and frames so far; see `LiveSession.counts`."""
    unconfirmed: list[MotionMessage]
    """Motion that the client may not have."""


class StoredSessions:
    """A folder of sessions by the digest of their resume tokens; no token is stored, and no name comes from a client.

    Args:
        folder: the folder.
        resume_s: age at which a session is forgotten (seconds).
        is_shared: whether several servers use the folder at the same time, and a client may come back to any of them.
    """

    def __init__(self, folder: Path, resume_s: float, is_shared: bool = False) -> None:
        self._folder, self._resume_s, self.is_shared = folder, resume_s, is_shared

    def save(self, resume_token: str, model: str, session: LiveSession) -> None:
        """Write a session that no thread works on.

        Raises:
            HeadmotionError: a part of the session has a state that cannot be stored, or the session has ended.
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # speech is private: no other user may read it
        states, counts = self._paths(resume_token)
        session.member.snapshot(states)
        fields = {
            "model": model,
            "hello": session.hello.model_copy(update={"token": None}).model_dump(mode="json"),
            "counts": session.counts(),
            "unconfirmed": [base64.b64encode(message.to_bytes()).decode() for message in session.unconfirmed],
        }
        with atomic_output(counts) as temporary:
            write_text(temporary, json.dumps(fields))

    def load(self, resume_token: str) -> StoredSession | None:
        """Return a session, or None if there is none, or only one that is too old."""
        states, counts = self._paths(resume_token)
        try:
            if time.time() - counts.stat().st_mtime > self._resume_s:
                return None
            fields: dict[str, Any] = json.loads(read_regular(counts, MAX_BYTES))
            messages = [MotionMessage.from_bytes(base64.b64decode(text)) for text in fields["unconfirmed"]]
            hello = Hello.model_validate(fields["hello"])
            return StoredSession(fields["model"], hello, states, _checked(fields["counts"]), messages)
        except (OSError, ValueError, LookupError, TypeError, RecursionError, HeadmotionError):
            return None

    def remove(self, resume_token: str) -> None:
        """Forget a session, if it is there."""
        for path in self._paths(resume_token):
            path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Forget the sessions that are too old."""
        for path in [*self._folder.glob("*.json"), *self._folder.glob("*.safetensors")]:
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > self._resume_s:
                    path.unlink()

    def _paths(self, resume_token: str) -> tuple[Path, Path]:
        name = hashlib.sha256(resume_token.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / f"{name}.safetensors", self._folder / f"{name}.json"


def _checked(counts: Any) -> dict[str, int]:
    """Return what `LiveSession.counts` returned, or raise a ValueError."""
    processed, produced, confirmed = (counts[name] for name in ("processed", "produced", "confirmed"))
    numbers = (processed, produced, confirmed)
    if not all(type(number) is int for number in numbers) or processed < 0 or not 0 <= confirmed <= produced:
        raise ValueError
    return {"processed": processed, "produced": produced, "confirmed": confirmed}
