"""The studio's part of the server: faces, takes and files over HTTP."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, TypeVar

import soundfile  # type: ignore[import-untyped]
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..core.collected_warnings import collected_warnings
from ..core.errors import ServingError
from ..core.short_repr import short_repr
from ..data.synthetic.espeak.espeak_speech import EspeakVoice, synthesize
from ..media.audio import Audio
from ..pipeline.loading import build
from ..pipeline.pipeline import Pipeline
from ..serving.protocol import BusyError, Controls
from ..serving.server_limits import ServerLimits
from ..serving.uploads import open_speech, read_body, read_form, read_picture
from .av_confidence import confidence_packet
from .faces import BUNDLED, Face, FaceFinder, bundled_face
from .head_packet import head_packet
from .page_files import PageFiles
from .part_schemas import part_schemas
from .recent import Recent
from .requests import (
    EditRequest,
    FaceRequest,
    ModelRequest,
    PointsRequest,
    SaveRequest,
    SpeechRequest,
    TakeRequest,
    parse,
)
from .save import MEDIA_TYPES, take_file
from .takes import Take, motion_packet

FACES, TAKES, BUILT, WAITING = 16, 16, 8, 8
"""Faces and takes that are kept, models from parts, and requests that may wait for the processor."""
FORMS = ("generator", "representation", "control", "renderer")
"""Kinds of parts of which the page has forms."""

T = TypeVar("T")


class StudioEndpoints:
    """Handlers of the page's requests. Work is done one request after the other, in a thread.

    Args:
        models: the models by name; the first is the default.
        limits: limits of the server.
    """

    def __init__(self, models: Mapping[str, Pipeline], limits: ServerLimits) -> None:
        self._models, self._limits, self._given = dict(models), limits, len(models)
        self._faces: Recent[Face] = Recent("face", FACES)
        self._takes: Recent[Take] = Recent("take", TAKES)
        self._finder = FaceFinder()
        self._thread = ThreadPoolExecutor(1, "headmotion studio")
        self._waiting = 0

    def routes(self) -> list[Route]:
        """Return the paths of the page and of its requests."""
        page = PageFiles().serve
        return [
            Route("/", page),
            Route("/studio/info", self._info),
            Route("/studio/speech.flac", self._bundled_speech),
            Route("/studio/head", self._head),
            Route("/studio/faces", self._new_face, methods=["POST"]),
            Route("/studio/faces/{face}", self._face, methods=["POST"]),
            Route("/studio/faces/{face}/landmarks", self._corrected_face, methods=["POST"]),
            Route("/studio/models", self._new_model, methods=["POST"]),
            Route("/studio/speech", self._speak, methods=["POST"]),
            Route("/studio/takes", self._new_take, methods=["POST"]),
            Route("/studio/takes/{take}/motion", self._motion, methods=["POST"]),
            Route("/studio/takes/{take}/confidence", self._confidence, methods=["POST"]),
            Route("/studio/takes/{take}/file", self._file, methods=["POST"]),
            Route("/{name}", page),
        ]

    async def _info(self, request: Request) -> Response:
        return JSONResponse(
            {
                "models": [_describe(name, pipeline) for name, pipeline in self._models.items()],
                "faces": [BUNDLED],
                "formats": list(MEDIA_TYPES),
                "controls": Controls.model_json_schema(),
                "parts": {kind: part_schemas(kind) for kind in FORMS},
                "speaks": find_spec("espeakng_loader") is not None,
            }
        )

    async def _bundled_speech(self, request: Request) -> Response:
        speech = (files("headmotion.assets") / "speech.flac").read_bytes()
        return Response(speech, media_type="audio/flac")

    async def _head(self, request: Request) -> Response:
        return JSONResponse(await self._run(head_packet))

    async def _new_face(self, request: Request) -> Response:
        async with read_form(request, self._limits, ("picture",)) as form:
            options = parse(FaceRequest, form.get("options", "{}"))
            content = read_picture(form["picture"].file, self._limits)
        face = await self._run(lambda: self._finder.find(content))
        return await self._packet(self._faces.add(face), face, options)

    async def _face(self, request: Request) -> Response:
        options = parse(FaceRequest, await read_body(request, self._limits))
        name = request.path_params["face"]
        if name == BUNDLED:
            face = await self._run(bundled_face)
            name = self._faces.add(face)
        return await self._packet(name, self._faces.get(name), options)

    async def _corrected_face(self, request: Request) -> Response:
        options = parse(PointsRequest, await read_body(request, self._limits))
        face = self._faces.get(request.path_params["face"]).with_points(options.landmarks)
        return await self._packet(self._faces.add(face), face, options)

    async def _new_model(self, request: Request) -> Response:
        options = parse(ModelRequest, await read_body(request, self._limits))
        if len(self._models) >= self._given + BUILT:
            raise ServingError("model", f"at most {BUILT} models from parts", "one more", "start the studio again")
        spec = options.model_dump(exclude_none=True)
        pipeline = await self._run(lambda: build(spec, device=self._device))
        name = f"{pipeline.spec.generator.type_name()} {len(self._models) - self._given + 1}"
        self._models[name] = pipeline
        return JSONResponse(_describe(name, pipeline, is_live=False))

    async def _packet(self, name: str, face: Face, options: FaceRequest) -> Response:
        described = await self._run(lambda: face.described(options.crop))
        return JSONResponse({"name": name, "warnings": list(face.warnings), **described})

    async def _speak(self, request: Request) -> Response:
        options = parse(SpeechRequest, await read_body(request, self._limits))
        voice = EspeakVoice(options.voice, options.words_per_minute)
        return Response(await self._run(lambda: _spoken(options.text, voice)), media_type="audio/wav")

    async def _new_take(self, request: Request) -> Response:
        async with read_form(request, self._limits, ("audio",)) as form:
            options = parse(TakeRequest, form.get("options", "{}"))
            face, name = self._faces.get(options.face), self._model_name(options.model)
            with open_speech(form["audio"].file, self._limits) as opened:
                speech = Audio(opened.read(dtype="float32", always_2d=True), opened.samplerate)
        take = await self._run(lambda: _generate(name, self._models[name], speech, face, options))
        packet = await self._run(lambda: motion_packet(take.motion))
        return JSONResponse({"name": self._takes.add(take), "warnings": list(take.warnings), **packet})

    async def _motion(self, request: Request) -> Response:
        options = parse(EditRequest, await read_body(request, self._limits))
        take = self._takes.get(request.path_params["take"])
        return JSONResponse(await self._run(lambda: motion_packet(take.edited(options.controls))))

    async def _confidence(self, request: Request) -> Response:
        options = parse(EditRequest, await read_body(request, self._limits))
        take = self._takes.get(request.path_params["take"])
        return JSONResponse(await self._run(lambda: confidence_packet(take.edited(options.controls), take.speech)))

    async def _file(self, request: Request) -> Response:
        options = parse(SaveRequest, await read_body(request, self._limits))
        take, face = self._takes.get(request.path_params["take"]), self._faces.get(options.face)

        def make() -> bytes:
            return take_file(take, options.controls, face, options.crop, options.format, options.renderer)

        return Response(await self._run(make), media_type=MEDIA_TYPES.get(options.format))

    def _model_name(self, name: str | None) -> str:
        chosen = next(iter(self._models)) if name is None else name
        if chosen not in self._models:
            raise ServingError("model", f"one of {', '.join(self._models)}", short_repr(name))
        return chosen

    @property
    def _device(self) -> str:
        return str(next(iter(self._models.values())).device)

    async def _run(self, work: Callable[[], T]) -> T:
        """Do work in the thread.

        Raises:
            BusyError: too much is waiting already.
        """
        if self._waiting >= WAITING:
            raise BusyError("studio", f"at most {WAITING} requests at the same time", "one more", "try again later")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


def _describe(name: str, pipeline: Pipeline, is_live: bool = True) -> dict[str, Any]:
    return {
        "live": is_live,
        "name": name,
        "representation": pipeline.representation.name,
        "fps": float(pipeline.spec.fps),
        "lookahead_ms": pipeline.lookahead_ms(),
    }


def _generate(name: str, pipeline: Pipeline, speech: Audio, face: Face, options: TakeRequest) -> Take:
    with collected_warnings() as warnings:
        motion = pipeline.generate(speech, face.reference(pipeline), seed=options.seed, style=options.style)
    return Take(name, speech, pipeline, motion, options.seed, tuple(warnings))


def _spoken(text: str, voice: EspeakVoice) -> bytes:
    """Return a text as the content of a WAV file."""
    spoken = synthesize(text, voice)
    content = io.BytesIO()
    soundfile.write(content, spoken.samples, spoken.sample_rate, format="WAV", subtype="PCM_16")
    return content.getvalue()
