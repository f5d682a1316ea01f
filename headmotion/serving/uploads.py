"""What clients send over HTTP: forms with files, within the limits of size and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import soundfile  # type: ignore[import-untyped]
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ..core.errors import ServingError
from .protocol import MAX_RATE, MIN_RATE
from .server_limits import ServerLimits

AUDIO_FORMATS = ("WAV", "WAVEX", "RF64", "AIFF", "FLAC", "OGG")
"""Formats of speech as libsndfile names them. FFmpeg supports more, but some of those name further files to open."""
MAX_CHANNELS = 2
OPTIONS = "options"
"""The text field of a form, JSON."""


class TooLargeError(ServingError):
    """A request exceeds a limit of size or time."""


@asynccontextmanager
async def read_form(request: Request, limits: ServerLimits, files: tuple[str, ...]) -> AsyncIterator[dict[str, Any]]:
    """Read a form of files and perhaps the text ``options``.

    Args:
        request: the request.
        limits: of size and time.
        files: names of the files; only the first must be there.

    Raises:
        ServingError: other fields, or more than the limits allow.
    """
    counted = Request(request.scope, _counted(request, limits.upload_bytes))
    parts = {"max_files": len(files), "max_fields": 1, "max_part_size": limits.message_bytes}
    try:
        async with asyncio.timeout(limits.upload_s):
            form = await counted.form(**parts)
    except TimeoutError:
        raise TooLargeError("request", f"all of it within {limits.upload_s:g} s", "less") from None
    except HTTPException as error:
        expected = f"a form with the fields {', '.join(files)} and {OPTIONS}"
        raise ServingError("request", expected, error.detail) from None
    try:
        sent = {name for name, value in form.items() if isinstance(value, UploadFile)}
        if files[0] not in sent or not sent <= set(files) or not set(form) - sent <= {OPTIONS}:
            expected = f"a form with the files {' and '.join(files)}, and the text {OPTIONS}"
            raise ServingError("request", expected, ", ".join(form) or "another one")
        yield dict(form)
    finally:
        await form.close()


async def read_body(request: Request, limits: ServerLimits) -> str:
    """Return the text of a request that is no form, such as JSON.

    Raises:
        TooLargeError: more than a message may have.
        ServingError: no text.
    """
    counted = Request(request.scope, _counted(request, limits.message_bytes))
    try:
        return (await counted.body()).decode()
    except UnicodeDecodeError:
        raise ServingError("request", "text in UTF-8", "other bytes") from None


def read_picture(upload: Any, limits: ServerLimits) -> bytes:
    """Return the content of a picture.

    Raises:
        TooLargeError: more bytes than a picture may have.
    """
    content: bytes = upload.read(limits.picture_bytes + 1)
    if len(content) > limits.picture_bytes:
        raise TooLargeError("reference", f"a picture of at most {limits.picture_bytes} bytes", "more")
    return content


def open_speech(audio: Any, limits: ServerLimits) -> soundfile.SoundFile:
    """Open speech with libsndfile, which opens no further file.

    Raises:
        ServingError: another format, rate or number of channels, or more seconds than the limits allow.
    """
    try:
        speech = soundfile.SoundFile(audio)
    except (soundfile.SoundFileError, TypeError, ValueError):
        raise ServingError("audio", f"one of the formats {', '.join(AUDIO_FORMATS)}", "another file") from None
    seconds = speech.frames / speech.samplerate
    got = ""
    if speech.format not in AUDIO_FORMATS or speech.subtype.startswith("MPEG"):
        expected, got = f"one of the formats {', '.join(AUDIO_FORMATS)}", speech.format
    elif speech.channels > MAX_CHANNELS or not MIN_RATE <= speech.samplerate <= MAX_RATE:
        expected = f"up to {MAX_CHANNELS} channels of {MIN_RATE} to {MAX_RATE} Hz"
        got = f"{speech.channels} of {speech.samplerate} Hz"
    elif not 0 < seconds <= limits.file_s:
        expected, got = f"at most {limits.file_s:g} s of speech", f"{seconds:g} s"
    if got:
        speech.close()
        raise ServingError("audio", expected, got)
    return speech


def _counted(request: Request, limit: int) -> Any:
    """Return the request's receive, which fails where the body has more bytes than ``limit``."""
    total = 0

    async def receive() -> Any:
        nonlocal total
        message = await request.receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise TooLargeError("request", f"at most {limit} bytes", "more", "use a session for long speech")
        return message

    return receive
