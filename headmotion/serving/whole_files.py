"""Whole files over HTTP: speech in, a file of motion out."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import soundfile  # type: ignore[import-untyped]
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ..controls import from_options
from ..core.errors import ServingError
from ..core.motion import Motion
from ..core.timing import as_fps
from ..export.motion_files import write_motion
from ..pipeline.pipeline import Pipeline
from ..pipeline.session import Session
from .protocol import MAX_RATE, MIN_RATE, BusyError, FileRequest, parse_file_request
from .references import read_reference
from .server_limits import ServerLimits
from .server_metrics import ServerMetrics
from .session_store import SessionStore

MEDIA_TYPES = {
    "npz": "application/octet-stream",
    "json": "application/json",
    "csv": "text/csv",
    "live-link": "text/csv",
    "bvh": "text/plain",
    "glb": "model/gltf-binary",
    "vtt": "text/vtt",
}
"""Formats of motion that are one file each, and their types for HTTP; see `headmotion.export`."""
AUDIO_FORMATS = ("WAV", "WAVEX", "RF64", "AIFF", "FLAC", "OGG")
"""Formats of speech as libsndfile names them. FFmpeg knows more, but some of those name further files to open."""
MAX_CHANNELS = 2
FIELDS = {"audio", "picture", "options"}
"""Fields of the form."""


class TooLargeError(ServingError):
    """A request exceeds a limit of size or time."""


class WholeFiles:
    """The HTTP endpoint for whole files.

    Args:
        store: the models.
        limits: limits of the server.
        metrics: where files are counted.
    """

    def __init__(self, store: SessionStore, limits: ServerLimits, metrics: ServerMetrics) -> None:
        self._store, self._limits, self._metrics = store, limits, metrics
        self._active = 0
        self._threads = ThreadPoolExecutor(max(1, limits.files), "headmotion file")

    async def __call__(self, request: Request) -> Response:
        """Return the motion for the speech of a request, or raise a HeadmotionError."""
        if self._active >= self._limits.files:
            expected = f"at most {self._limits.files} whole files at the same time"
            raise BusyError("server", expected, "one more", "try again later, or use a session")
        self._active += 1
        try:
            async with self._form(request) as form:
                options = parse_file_request(form.get("options", "{}"))
                worker = self._store.worker(options)
                format = request.query_params.get("format", "npz")
                if format not in MEDIA_TYPES:
                    raise ServingError("format", f"one of {', '.join(MEDIA_TYPES)}", repr(format)[:60])
                picture = form.get("picture")
                job = (worker.pipeline, options, form["audio"].file, picture and picture.file, format, self._limits)
                content = await asyncio.get_running_loop().run_in_executor(self._threads, _generate, *job)
            self._metrics.files.labels(worker.name).inc()
            return Response(content, media_type=MEDIA_TYPES[format])
        finally:
            self._active -= 1

    def close(self) -> None:
        """Let the files that are being processed be the last ones."""
        self._threads.shutdown(cancel_futures=True)

    @asynccontextmanager
    async def _form(self, request: Request) -> AsyncIterator[dict[str, Any]]:
        """Read the form of a request, within the limits of size and time."""
        counted = Request(request.scope, self._counted(request))
        parts = {"max_files": 2, "max_fields": 1, "max_part_size": self._limits.message_bytes}
        try:
            async with asyncio.timeout(self._limits.upload_s):
                form = await counted.form(**parts)
        except TimeoutError:
            raise TooLargeError("request", f"all of it within {self._limits.upload_s:g} s", "less") from None
        except HTTPException as error:
            raise ServingError("request", "a form with the fields audio, picture and options", error.detail) from None
        try:
            files = {name for name, value in form.items() if isinstance(value, UploadFile)}
            if "audio" not in files or not set(form) <= FIELDS or "options" in files or "picture" in set(form) - files:
                got = ", ".join(form)[:100] or "another one"
                raise ServingError("request", "a form with the files audio and picture, and the text options", got)
            yield dict(form)
        finally:
            await form.close()

    def _counted(self, request: Request) -> Any:
        """Return the request's receive, which fails where the body is too large."""
        total, limit = 0, self._limits.upload_bytes

        async def receive() -> Any:
            nonlocal total
            message = await request.receive()
            total += len(message.get("body", b""))
            if total > limit:
                raise TooLargeError("request", f"at most {limit} bytes", "more", "use a session for long speech")
            return message

        return receive


def _generate(
    pipeline: Pipeline, options: FileRequest, audio: Any, picture: Any, format: str, limits: ServerLimits
) -> bytes:
    """Return the content of a file of motion."""
    content = None
    if picture is not None and len(content := picture.read(limits.picture_bytes + 1)) > limits.picture_bytes:
        raise TooLargeError("reference", f"a picture of at most {limits.picture_bytes} bytes", "more")
    reference = read_reference(pipeline, options, options.reference, content)
    with _opened(audio, limits) as speech:
        session = Session(
            pipeline,
            reference,
            speech.samplerate,
            max(1, round(pipeline.spec.fps)),
            seed=options.seed,
            fps=None if options.fps is None else as_fps(options.fps),
            controls=from_options(**options.controls.model_dump(), seed=options.seed),
            style=options.style,
        )
        parts = [session.push(block) for block in speech.blocks(speech.samplerate, dtype="float32", always_2d=True)]
        motion = Motion.concatenate([*parts, session.flush()])
    if options.representation is not None:
        motion = motion.to(options.representation)
    with tempfile.TemporaryDirectory(prefix="headmotion-serve-") as folder:
        suffix = "csv" if format == "live-link" else format
        return write_motion(motion, Path(folder) / f"motion.{suffix}", format).read_bytes()


def _opened(audio: Any, limits: ServerLimits) -> soundfile.SoundFile:
    """Open speech with libsndfile, which opens no further file."""
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
