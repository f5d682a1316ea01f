"""The messages of the WebSocket protocol, version 1, as docs/serve.md describes them. Importing this needs no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ..core.booleans import StrictNumbers
from ..core.errors import HeadmotionError, ServingError
from ..core.short_repr import short_repr
from ..core.validation import validated

T = TypeVar("T", bound=BaseModel)

VERSION = 1
"""Version of the protocol, which a client states in its first message."""
STREAM_PATH = "/v1/stream"
"""Path of the WebSocket."""
MIN_RATE, MAX_RATE = 8_000, 192_000
"""Sample rates (Hz)."""
MAX_MORE = 16
"""Controls by their specs in one request."""
MAX_POINTS = 4096
"""Points of a reference that a client may state."""
BUSY, REFUSED, FAILED = 1013, 1008, 1011
"""Codes with which a server closes a WebSocket: try later; a rule was broken; an error of the server."""

SAMPLE_TYPES: dict[str, np.dtype[Any]] = {"int16": np.dtype("<i2"), "float32": np.dtype("<f4")}
"""Samples of the audio messages: little endian, channels interleaved."""


class BusyError(ServingError):
    """A limit of the server is reached; the same request may succeed later."""


class _Message(StrictNumbers):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReferencePoints(_Message):
    """A pose in pixels, one row per point."""

    points: list[Annotated[list[float], Field(min_length=1, max_length=4)]] = Field(min_length=1, max_length=MAX_POINTS)
    """Rows of x and y, or of what the model's representation has."""


class ReferencePicture(_Message):
    """A picture, whose bytes are the next message."""

    picture_bytes: int = Field(ge=1)
    """Length of the message that follows: a PNG, JPEG or WebP."""


class Controls(_Message):
    """Edits of the motion; the names are those of `headmotion.controls.from_options`."""

    smooth: float | None = None
    """Window of the smoothing (ms)."""
    lips: float | None = None
    """Gain of lips and jaw."""
    close_silence: bool = False
    """Whether the mouth closes in silence."""
    head: float | None = None
    """Amount of head motion."""
    hold_pose: bool = False
    """Whether the head is held still."""
    look_at: tuple[float, float] | None = None
    """Yaw and pitch (degrees)."""
    limit: bool = False
    """Whether openings and angles are limited."""
    blink: float | None = None
    """Blinks per minute."""
    opening: float | list[float] | None = None
    """Change of the mouth's opening, a number or one per frame."""
    more: list[dict[str, Any]] = Field([], max_length=MAX_MORE)
    """Specs of further controls, such as those of plugins."""


class MotionRequest(_Message):
    """What motion a client asks for, in a session or for a whole file."""

    model: str | None = Field(None, max_length=200)
    """Name of a model that the server offers; None: its first."""
    mouth: Literal["auto", "closed", "as-is"] = "auto"
    """Whether the mouth of the reference is closed first; see `Pipeline.reference`."""
    controls: Controls = Controls()
    """Edits of the motion."""
    seed: int = Field(0, ge=0, lt=1 << 63)
    """Seed of the generator's noise."""
    fps: str | None = Field(None, coerce_numbers_to_str=True, max_length=40)
    """Frames per second, such as 25 or 30000/1001; None: the model's own."""
    style: str | None = Field(None, max_length=200)
    """A style of the model, if it has styles."""
    representation: str | None = Field(None, max_length=200)
    """Type that the motion is converted to, such as ``blendshapes``; None: the model's own."""


class Hello(MotionRequest):
    """The first message of a client that opens a session."""

    type: Literal["hello"]
    version: int
    """Version of the protocol."""
    rate: int = Field(16_000, ge=MIN_RATE, le=MAX_RATE)
    """Rate of the samples (Hz)."""
    samples: Literal["int16", "float32"] = "int16"
    """Type of the samples."""
    channels: int = Field(1, ge=1, le=8)
    """Channels, interleaved."""
    reference: ReferencePoints | ReferencePicture | None = None
    """The pose that the motion starts from; None: the neutral one."""
    format: Literal["binary", "json"] = "binary"
    """Form of the motion messages."""
    token: str | None = Field(None, max_length=1000)
    """The server's token, for clients that cannot set the header ``Authorization``."""


class FileRequest(MotionRequest):
    """The options of a request for a whole file."""

    reference: ReferencePoints | None = None
    """As in `Hello`; a picture is a field of the form."""


class Resume(_Message):
    """The first message of a client whose connection broke."""

    type: Literal["resume"]
    version: int
    """Version of the protocol."""
    resume_token: str = Field(max_length=200)
    """What the welcome message said."""
    frames: int = Field(ge=0)
    """Frames that the client has received."""
    token: str | None = Field(None, max_length=1000)
    """As in `Hello`."""


class Received(_Message):
    """Confirmation of motion; without it the session pauses."""

    type: Literal["received"]
    frames: int = Field(ge=0)
    """Frames that the client has received since the beginning of the session."""


class End(_Message):
    """The end of the speech."""

    type: Literal["end"]


_OPENING: dict[str, type[Hello | Resume]] = {"hello": Hello, "resume": Resume}
_RUNNING: dict[str, type[Received | End]] = {"received": Received, "end": End}


def parse_opening(text: str) -> Hello | Resume:
    """Read the first message of a client.

    Raises:
        ServingError: no such message, or another version of the protocol.
    """
    fields = _json_object(text)
    if fields.get("version") != VERSION:
        got = f"version {fields.get('version')!r}"
        raise ServingError("server", f"version {VERSION} of the protocol", got, "use a client of this version")
    return _message(fields, _OPENING)


def parse_running(text: str) -> Received | End:
    """Read a further message of a client.

    Raises:
        ServingError: no such message.
    """
    return _message(_json_object(text), _RUNNING)


def parse_file_request(text: str) -> FileRequest:
    """Read the options of a request for a whole file.

    Raises:
        ServingError: an unknown name, or a value that does not fit.
    """
    return validated(FileRequest, _json_object(text), "options", error=ServingError)


def decode_samples(data: bytes, hello: Hello) -> NDArray[Any]:
    """Return the samples ``[s]`` or ``[s, channels]`` of an audio message.

    Raises:
        ServingError: bytes that are no whole number of samples.
    """
    kind = SAMPLE_TYPES[hello.samples]
    size = kind.itemsize * hello.channels
    if len(data) % size:
        expected = f"a multiple of {size} bytes ({hello.samples}, channels: {hello.channels})"
        raise ServingError("audio message", expected, f"{len(data)} bytes")
    samples = np.frombuffer(data, kind)
    return samples if hello.channels == 1 else samples.reshape(-1, hello.channels)


def error_fields(error: BaseException) -> dict[str, Any]:
    """Return an error as the fields of a message; a bug is named by its type only, because its text may be private."""
    if not isinstance(error, HeadmotionError):
        error = ServingError("server", "to work", f"an error of its own ({type(error).__name__})", "see its log")
    fields = {name: getattr(error, name) for name in ("component", "expected", "got", "remedy")}
    return {"type": "error", **fields, "message": str(error)}


def _json_object(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ServingError("server", "a JSON object", short_repr(text))
    return fields


def _refuse_constant(name: str) -> None:
    raise ServingError("server", "numbers of JSON, which are finite", name)


def _message(fields: dict[str, Any], kinds: Mapping[str, type[T]]) -> T:
    name = fields.get("type")
    if not isinstance(name, str) or name not in kinds:
        raise ServingError("server", f"a message {' or '.join(kinds)}", f"one of type {short_repr(name)}")
    return validated(kinds[name], fields, name, error=ServingError)
