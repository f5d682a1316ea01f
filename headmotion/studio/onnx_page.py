"""A folder that talks in the browser alone: the page, a model as ONNX, a face, and ONNX Runtime Web."""

from __future__ import annotations

import base64
import json
import os
import shutil
from fractions import Fraction
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..controls.control import ControlContext
from ..controls.mouth import MouthModel
from ..core.errors import HeadmotionError
from ..core.files import atomic_folder, write_text
from ..core.interfaces.representation import Representation
from ..export.onnx_initial_state import CHUNK_FRAMES
from ..export.onnx_model import write_onnx
from ..pipeline.pipeline import Pipeline
from .faces import BUNDLED, Face, bundled_face
from .head_packet import head_packet
from .page_files import page_files

RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
"""Files of the npm package onnxruntime-web that compute on the processor; the second has 14 MB."""
REMEDY = "npm install onnxruntime-web, or name the package's folder with --runtime"
STATIC_API, SPEECH = "static_api.js", "speech.flac"
NOT_STATE = ("scale", "offset", "sample_rate", "fps", "meta")
LICENSES = """headmotion  Apache-2.0
The model has the license of its own, which `headmotion licenses` or its author states.
portrait.png (if it is the face of this page)  public domain  NASA photograph of the astronaut Eileen Collins
speech.flac  Apache-2.0
ONNX Runtime Web (ort*)  MIT  Microsoft Corporation  npm package onnxruntime-web
"""


def write_web_page(
    pipeline: Pipeline,
    folder: str | os.PathLike[str],
    face: Face | None = None,
    runtime: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> Path:
    """Write a folder for any web server of static files, such as ``python -m http.server``.

    Args:
        pipeline: a model of ``landmarks68`` with a stream of fixed shapes.
        folder: a new folder, which appears whole or not at all.
        face: the face that talks; None: the bundled one.
        runtime: folder of the npm package onnxruntime-web; None: the one in ``node_modules``.
        seed: seed of the generator's noise.

    Raises:
        HeadmotionError: another representation, ONNX Runtime Web is missing, or what `write_onnx` raises.
    """
    representation = pipeline.representation.spec.type_name()
    if representation != "landmarks68":
        raise HeadmotionError("web page", "a model of landmarks68", f"one of {representation}")
    runtime_files, shown_face = _runtime_folder(runtime), face or bundled_face()
    with atomic_folder(folder) as temporary:
        _copy_page(temporary)
        for name in RUNTIME_FILES:
            shutil.copyfile(runtime_files / name, temporary / name)
        write_onnx(pipeline, temporary / "model.onnx", shown_face.reference(pipeline), seed)
        with np.load(temporary / "model.npz") as start:
            state = _start_fields(pipeline, dict(start))
        (temporary / "model.npz").unlink()
        texts = {"state": state, "face": shown_face.described("head"), "head": head_packet(), "info": _info(pipeline)}
        for name, value in texts.items():
            write_text(temporary / f"{name}.json", json.dumps(value))
        write_text(temporary / "LICENSES.txt", LICENSES)
    return Path(folder)


def _copy_page(folder: Path) -> None:
    """Copy the page; in place of requests to a server it computes itself."""
    contents = {name: content for name, (content, _) in page_files().items()}
    contents["api.js"] = contents.pop(STATIC_API)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    with as_file(files("headmotion.assets") / SPEECH) as path:
        shutil.copyfile(path, folder / SPEECH)


def _runtime_folder(runtime: str | os.PathLike[str] | None) -> Path:
    chosen = Path("node_modules/onnxruntime-web") if runtime is None else Path(runtime)
    for folder in (chosen, chosen / "dist"):
        if all((folder / name).is_file() for name in RUNTIME_FILES):
            return folder
    raise HeadmotionError("web page", f"ONNX Runtime Web ({', '.join(RUNTIME_FILES)})", f"none in {chosen}", REMEDY)


def _start_fields(pipeline: Pipeline, start: dict[str, Any]) -> dict[str, Any]:
    """Return what the page needs to run the graph, as JSON values."""
    fps, rate = pipeline.spec.fps, int(start["sample_rate"])
    state = {name: _array(value) for name, value in start.items() if name not in NOT_STATE}
    return {
        "rate": rate,
        "fps": [fps.numerator, fps.denominator],
        "samples": CHUNK_FRAMES * pipeline.spec.steps_per_frame * pipeline.audio_encoder.hop,
        "state": state,
        "scale": start["scale"].reshape(-1).tolist(),
        "offset": start["offset"].reshape(-1).tolist(),
        "reference": (reference := json.loads(str(start["meta"]))["reference"]),
        "lookahead_ms": pipeline.lookahead_ms(),
        "edits": edit_constants(reference, pipeline.representation),
    }


def edit_constants(reference: Any, representation: Representation) -> dict[str, Any]:
    """Return what ``edits.js`` needs to scale the motion of head and lips: the resting head, and which points move."""
    resting_pose = torch.tensor(reference)[:, :2]
    mouth = MouthModel(ControlContext(representation, resting_pose, Fraction(25)), "web page")
    head = mouth.head
    return {
        "shape": head.shape.tolist(),
        "home": head.resting_pose[head.skull].mean(0).tolist(),
        "rest": head.resting_pose.tolist(),
        "down": head.down.tolist(),
        "skull": head.skull,
        "mouth": mouth.points,
        "pairs": [list(pair) for pair in representation.openings["mouth"]],
    }


def _array(values: Any) -> dict[str, Any]:
    content = base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
    return {"type": str(values.dtype), "dims": list(values.shape), "data": content}


def _info(pipeline: Pipeline) -> dict[str, Any]:
    model = {
        "name": pipeline.card.get("name") or pipeline.spec.generator.type_name(),
        "representation": pipeline.representation.name,
        "fps": float(pipeline.spec.fps),
        "lookahead_ms": pipeline.lookahead_ms(),
    }
    other_fields = {"faces": [BUNDLED], "formats": [], "parts": {}, "speaks": False, "static": True}
    # Sound is decoded at the model's own rate, so that it is converted once.
    return {"models": [model], "rate": pipeline.audio_encoder.sample_rate, **other_fields}
