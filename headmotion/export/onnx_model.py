"""A pipeline's streaming graph as an ONNX file, compared with the pipeline before it is written."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

import numpy as np

from ..core.errors import HeadmotionError
from ..core.files import atomic_output
from ..core.lazy import require_packages
from ..core.progress import progress
from ..media.audio import Audio
from ..pipeline.pipeline import Pipeline
from ..pipeline.reference import Reference, ReferenceLike
from .onnx_initial_state import CHUNK_FRAMES, Arrays, initial_state, save_initial_state
from .onnx_int8 import quantize_int8
from .onnx_run import run_onnx
from .onnx_runtime import import_onnx_runtime
from .onnx_trace import trace_onnx
from .streaming_graph import StreamingGraph

TOLERANCE = 1e-4
"""Largest difference between frames of the file and of the pipeline, in sides of the unit frame."""
PACKAGES = ("onnx", "onnxscript", "onnxruntime")
SPEECH = Path(__file__).parents[1] / "assets" / "speech.flac"
"""The bundled speech, with which the effect of int8 weights is measured."""

_log = logging.getLogger("headmotion")


def write_onnx(
    pipeline: Pipeline,
    path: str | os.PathLike[str],
    reference: ReferenceLike = None,
    seed: int = 0,
    frames: int = CHUNK_FRAMES,
    precision: Literal["32", "int8"] = "32",
) -> Path:
    """Write the streaming graph as ``.onnx``, and its initial state next to it as ``.npz`` (see `write_start`).

    Inputs are ``wave`` ``[S]``, the samples of a chunk at the model's rate; ``end`` ``[1]``, the number of frames of
    the whole speech or -1 while that is not known; and the state by name. Outputs are ``frames`` ``[n, P, D]`` of the
    unit frame; ``count`` ``[1]``, how many of them are valid, from the first on; and the next state, in the order of
    the inputs.

    Args:
        pipeline: its audio encoder and generator are exported.
        path: the file; both files appear complete or not at all.
        reference: as in `Pipeline.generate`.
        seed: seed of the generator's noise.
        frames: frames per chunk; a generator may need a multiple of some number.
        precision: bits of the large weights; see `quantize_int8`. With ``int8`` the motion differs, and a warning says
            by how much.

    Raises:
        HeadmotionError: the extra ``onnx`` is not installed, the pipeline has no stream of fixed shapes, the file does
            not give the pipeline's frames, or nothing in it can be ``int8``.
    """
    target = Path(path)
    if target.suffix != ".onnx":
        raise HeadmotionError("export", "a name ending in .onnx", target.name)
    require_packages(PACKAGES, "headmotion[onnx]", "export")
    import_onnx_runtime()  # first, because the others may import it too
    graph = StreamingGraph(pipeline, frames).eval()
    resolved = pipeline.reference(reference)  # once, because it may have to be detected in a picture
    start = initial_state(graph, pipeline, resolved, seed)
    metadata = {"sample_rate": str(start["sample_rate"]), "fps": str(start["fps"]), "synthetic": "frames are synthetic"}
    steps = ["tracing the model", "comparing with the pipeline", "rounding weights"][: 3 if precision == "int8" else 2]
    with atomic_output(target) as temporary, progress(steps[0], len(steps)) as advance:
        state = graph.init_state(pipeline.representation.neutral().unsqueeze(0).cpu(), 0)
        trace_onnx(graph, state, metadata, temporary)
        advance(label=steps[1])
        _check_against_pipeline(temporary, pipeline, start, resolved, seed)
        if precision == "int8":
            advance(label=steps[2])
            quantize_int8(temporary)
            difference = _difference(temporary, pipeline, start, resolved, seed, Audio.coerce(SPEECH))
            _log.warning(
                "int8 moves frames by up to %.1e sides of the unit frame over ten seconds of speech", difference
            )
        save_initial_state(start, target.with_suffix(".npz"))
    return target


def _check_against_pipeline(path: Path, pipeline: Pipeline, start: Arrays, reference: Reference, seed: int) -> None:
    """Raise an error unless the file gives the pipeline's frames, for noise that ends within a chunk."""
    rate = int(start["sample_rate"])
    noise = 0.1 * np.random.default_rng(0).standard_normal(round(2.2 * rate)).astype(np.float32)
    difference = _difference(path, pipeline, start, reference, seed, Audio(noise, rate))
    if not difference <= TOLERANCE:
        expected = f"a step equal to the pipeline's within {TOLERANCE:g}"
        raise HeadmotionError("export", expected, f"a difference of {difference:.2g}")


def _difference(path: Path, pipeline: Pipeline, start: Arrays, reference: Reference, seed: int, audio: Audio) -> float:
    """Return the largest difference between frames of the file and of the pipeline, in sides of the unit frame."""
    expected = pipeline.generate(audio, reference, seed=seed)
    # On the CPU, which every machine has.
    session = import_onnx_runtime().InferenceSession(path, providers=["CPUExecutionProvider"])
    frames = run_onnx(session, start, audio.read(int(start["sample_rate"])), len(expected))
    return float(np.abs(frames - pipeline.representation.normalize(expected.values, reference.frame).numpy()).max())
