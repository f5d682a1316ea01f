"""A client's side of the protocol without any network: what to send, and what an answer means."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.errors import ServingError
from ...core.interfaces.representation import UnitSquare
from ...core.motion import Motion
from ...core.short_repr import short_repr
from ...core.timing import as_fps
from ...media.samples import as_floats, as_samples
from ..motion_message import MotionMessage
from ..protocol import SAMPLE_TYPES, VERSION
from .connect_options import ConnectOptions
from .hello import build_hello

Messages = list[str | bytes]

_log = logging.getLogger("headmotion")


class Conversation:
    """The state of one session, which outlives its connections.

    Args:
        options: what the client asks for.

    Raises:
        ServingError: see `build_hello`.
    """

    def __init__(self, options: ConnectOptions) -> None:
        self._hello, self._picture = build_hello(options)
        self._kind, self._token = str(self._hello["samples"]), self._hello.pop("token", None)
        self._sent: deque[tuple[int, bytes]] = deque()  # number of the first sample, and samples
        self._pushed = self._processed = self._frames = self._channels = 0
        self.welcome: dict[str, Any] = {}
        """The server's answer to the hello."""
        self.has_ended = False
        """Whether `end` was called."""
        self.is_finished = False
        """Whether all motion has arrived."""

    def opening(self) -> Messages:
        """Return the first messages of a connection."""
        token = {} if self._token is None else {"token": self._token}
        if self.welcome:
            resume = {"type": "resume", "version": VERSION, "frames": self._frames}
            return [json.dumps(resume | {"resume_token": self.welcome["resume_token"]} | token)]
        return [json.dumps(self._hello | token), *([] if self._picture is None else [self._picture])]

    def begin(self, answer: str | bytes) -> Messages:
        """Read the server's answer to the opening; return what has to be sent again.

        Raises:
            ServingError: the server refuses.
        """
        fields = _fields(answer)
        if fields.get("type") != "welcome":
            raise ServingError("client", "a welcome", short_repr(fields.get("type")), "check the address")
        if not self.welcome:
            for warning in fields.get("warnings", ()):
                _log.warning("server: %s", warning)
        self.welcome, received = fields, int(fields["samples_received"])
        unreceived: Messages = []
        for first, data in self._sent:
            size = self._sample_size
            if first + len(data) // size > received:
                unreceived.append(data[max(0, received - first) * size :])
        return [*unreceived, *(['{"type": "end"}'] if self.has_ended and not fields.get("has_ended") else [])]

    @property
    def _sample_size(self) -> int:
        return SAMPLE_TYPES[self._kind].itemsize * max(1, self._channels)

    def pack(self, samples: NDArray[Any]) -> Iterator[bytes]:
        """Return samples ``[s]`` or ``[s, channels]`` as messages; each may be sent when there is `has_room` for it.

        Raises:
            AudioError: samples of another shape or type, NaN, infinite or far beyond full scale.
            ServingError: another number of channels than the session was opened with.
        """
        array = as_samples(samples, "client")
        channels = 1 if array.ndim == 1 else array.shape[1]
        if channels != self._hello.get("channels", 1):
            raise ServingError("client", f"{self._hello.get('channels', 1)} channels", f"{channels}", "give channels=")
        self._channels = channels
        most = min(self.welcome["message_bytes"] // self._sample_size, max(1, self.welcome["ahead_samples"] // 4))
        parts = [array[start : start + most] for start in range(0, len(array), most)]
        for part in parts:  # all are checked before the first one is sent, and converted when they are sent
            as_floats(part, "client")
        return map(self._encode, parts)

    def _encode(self, samples: NDArray[Any]) -> bytes:
        floats = as_floats(samples, "client")
        sent = np.clip(np.rint(floats * 32768), -32768, 32767) if self._kind == "int16" else floats
        return np.ascontiguousarray(sent, SAMPLE_TYPES[self._kind]).tobytes()

    def has_room(self, data: bytes) -> bool:
        """Return whether a message of samples may be sent now, because enough of the earlier ones are processed."""
        ahead = self._pushed + len(data) // self._sample_size - self._processed
        return ahead <= int(self.welcome["ahead_samples"])

    def note_sent(self, data: bytes) -> None:
        """Remember samples until the server has processed them."""
        self._sent.append((self._pushed, data))
        self._pushed += len(data) // self._sample_size

    def read(self, message: str | bytes) -> MotionMessage | None:
        """Read a message of the server; None is the end, or a message without new frames.

        Raises:
            ServingError: the server reports an error, or the message is no known one.
        """
        if isinstance(message, bytes):
            motion = MotionMessage.from_bytes(message)
        else:
            fields = _fields(message)
            if fields.get("type") == "end":
                self.is_finished = True
                return None
            motion = MotionMessage.from_json(fields, self.welcome["points"], self.welcome["dims"])
        self._processed = max(self._processed, motion.samples)
        while self._sent and self._sent[0][0] + len(self._sent[0][1]) // self._sample_size <= self._processed:
            self._sent.popleft()
        repeated = self._frames - motion.first
        if repeated > 0:  # sent again after a resumption
            motion = MotionMessage(motion.values[repeated:], self._frames, motion.fps, motion.samples)
        self._frames = max(self._frames, motion.end)
        return motion if len(motion) else None

    def confirmation(self, motion: MotionMessage | None = None) -> str:
        """Return the message that confirms motion which the program has taken; None: all that has arrived."""
        return json.dumps({"type": "received", "frames": self._frames if motion is None else motion.end})

    def motion(self, messages: Sequence[MotionMessage]) -> Motion:
        """Return consecutive messages as one motion, with the reference and the square that the server stated."""
        meta, points, dims = self.welcome["meta"], self.welcome["points"], self.welcome["dims"]
        values = [np.zeros((0, points, dims), np.float32), *(message.values for message in messages)]
        return Motion(
            torch.from_numpy(np.concatenate(values)),
            as_fps(self.welcome["fps"]),
            representation=meta["representation"],
            frame=None if meta["frame"] is None else UnitSquare(**meta["frame"]),
            units=meta["units"],
            reference=None if meta["reference"] is None else torch.tensor(meta["reference"]),
            provenance=meta["provenance"],
        )


def _fields(message: str | bytes) -> dict[str, Any]:
    """Return the fields of a JSON message; an error of the server is raised."""
    fields: Any = None
    with suppress(ValueError):
        fields = json.loads(message)
    if not isinstance(fields, dict):
        raise ServingError("client", "a JSON object from the server", short_repr(message))
    if fields.get("type") == "error":
        raise ServingError(*(str(fields.get(name, "")) for name in ("component", "expected", "got", "remedy")))
    return fields
