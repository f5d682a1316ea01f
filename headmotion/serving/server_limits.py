"""The limits of a server: sessions, sizes and times. Whatever exceeds one is refused with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, Field

from ..core.booleans import StrictNumbers
from ..core.errors import ServingError
from ..core.validation import validated


class ServerLimits(StrictNumbers):
    """What a server allows; the defaults suit one processor core and the bundled model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sessions: int = Field(256, ge=1)
    """Sessions at the same time, those that wait for their client to come back included."""
    connections: int = Field(1024, ge=1)
    """Network connections of all kinds at the same time."""
    handshake_s: float = Field(10, gt=0)
    """From a connection to its complete request, and from there to a complete hello (seconds)."""
    idle_s: float = Field(60, gt=0)
    """Longest silence of a client (seconds)."""
    session_s: float = Field(3600, gt=0)
    """Speech of one session (seconds)."""
    ahead_s: float = Field(2, ge=0.2)
    """Speech that a client may send before the server has processed it (seconds)."""
    unread_s: float = Field(5, ge=0.2)
    """Motion that a client may leave unconfirmed before its session pauses (seconds)."""
    stall_s: float = Field(10, gt=0)
    """Longest pause of a session whose client confirms nothing (seconds)."""
    resume_s: float = Field(30, ge=0)
    """How long a session waits for its client after the connection broke (seconds)."""
    message_bytes: int = Field(1 << 20, ge=1 << 10)
    """A message, other than a picture."""
    messages_per_s: int = Field(500, ge=10)
    """Messages that are read from one client in a second; the others wait."""
    read_ms: float = Field(20, ge=1)
    """Processor time in a second that reading what one client sends may take (ms); the rest waits in the network."""
    picture_bytes: int = Field(8 << 20, ge=1 << 10)
    """A picture of the face."""
    pictures: int = Field(16, ge=1)
    """Pictures that wait until they are searched for a face."""
    pictures_ms: float = Field(100, ge=1, le=1000)
    """Processor time in a second that finding faces in the pictures of all clients may take (ms)."""
    upload_bytes: int = Field(64 << 20, ge=1 << 10)
    """The request for a whole file."""
    upload_s: float = Field(60, gt=0)
    """From the request for a whole file to its last byte (seconds)."""
    file_s: float = Field(600, gt=0)
    """Speech of a whole file (seconds)."""
    files: int = Field(1, ge=0)
    """Whole files that are processed at the same time; 0 offers none."""
    step_ms: float = Field(10, ge=1)
    """Shortest time from one step of all sessions to the next (ms)."""
    step_audio_ms: float = Field(80, ge=1)
    """Speech of one session that a step processes at most (ms), so that a fast client does not delay the others."""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Return checked limits.

        Raises:
            ServingError: an unknown name, or a value out of range.
        """
        return validated(cls, dict(values), "server limits", error=ServingError)
