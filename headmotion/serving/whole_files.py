"""Whole files over HTTP: speech in, a file of motion out."""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..controls import from_options
from ..core.errors import ServingError
from ..core.motion import Motion
from ..core.short_repr import short_repr
from ..core.timing import as_fps
from ..export.motion_files import write_motion
from ..pipeline.pipeline import Pipeline
from ..pipeline.session import Session
from .protocol import BusyError, FileRequest, parse_file_request
from .references import read_reference
from .server_limits import ServerLimits
from .server_metrics import ServerMetrics
from .session_store import SessionStore
from .uploads import open_speech, read_form, read_picture

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
            async with read_form(request, self._limits, ("audio", "picture")) as form:
                options = parse_file_request(form.get("options", "{}"))
                worker = self._store.worker(options)
                format = request.query_params.get("format", "npz")
                if format not in MEDIA_TYPES:
                    raise ServingError("format", f"one of {', '.join(MEDIA_TYPES)}", short_repr(format))
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


def _generate(
    pipeline: Pipeline, options: FileRequest, audio: Any, picture: Any, format: str, limits: ServerLimits
) -> bytes:
    """Return the content of a file of motion."""
    content = None if picture is None else read_picture(picture, limits)
    reference = read_reference(pipeline, options, options.reference, content)
    with open_speech(audio, limits) as speech:
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
