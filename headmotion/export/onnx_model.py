"""A pipeline's streaming graph as an ONNX file, compared with the pipeline before it is written."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from ..core.errors import HeadmotionError
from ..core.files import atomic_output
from ..core.lazy import require_packages
from ..core.progress import progress
from ..media.audio import Audio
from ..pipeline.pipeline import Pipeline
from ..pipeline.reference import Reference, ReferenceLike
from .onnx_initial_state import CHUNK_FRAMES, Arrays, initial_state, save_initial_state
from .onnx_int8 import quantize_int8
from .onnx_runtime import import_onnx_runtime
from .streaming_graph import StreamingGraph

TOLERANCE = 1e-4
"""Largest difference between frames of the file and of the pipeline, in sides of the unit frame."""
PACKAGES = ("onnx", "onnxscript", "onnxruntime")
OPSET = 20
"""Version of the ONNX operators: the first with GELU."""
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
        _trace(graph, state, metadata, temporary)
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


def run_onnx(session: Any, start: Arrays, wave: NDArray[Any], total: int) -> NDArray[Any]:
    """Run a whole wave through an exported graph.

    Args:
        session: an ``onnxruntime.InferenceSession``.
        start: the initial state, as in the ``.npz`` file.
        wave: samples ``[S]`` at the model's rate.
        total: number of frames.

    Returns:
        Frames ``[T, P, D]`` of the unit frame.
    """
    names = [node.name for node in session.get_inputs()]
    size = session.get_inputs()[0].shape[0]
    state = {name: start[name] for name in names[2:]}
    parts, done, first = [], 0, 0
    while done < total:
        chunk = np.zeros(size, np.float32)
        samples = wave[first : first + size]
        chunk[: len(samples)] = samples
        first += size
        end = np.array([total if first >= len(wave) else -1], np.int64)
        frames, count, *next_state = session.run(None, {"wave": chunk, "end": end, **state})
        state = dict(zip(state, next_state, strict=True))
        parts.append(frames[: count[0]])
        done += int(count[0])
    return np.concatenate(parts)


class _FlatState(nn.Module):
    """The graph with its state as a list, as ONNX has it."""

    def __init__(self, graph: StreamingGraph, names: list[str]) -> None:
        super().__init__()
        self.wrapped, self.names = graph, names  # an exported module has a `graph` of its own

    @override
    def forward(self, wave: Tensor, end: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        frames, count, next_state = self.wrapped(wave, end, dict(zip(self.names, state, strict=True)))
        # Copies, because an input that is also an output would have one name for both.
        return (frames, count, *(next_state[name].clone() for name in self.names))


def _trace(graph: StreamingGraph, state: dict[str, Tensor], metadata: dict[str, str], path: Path) -> None:
    names = list(state)
    # Copies, because tensors that are one object would become one input.
    inputs = (torch.zeros(graph.samples), torch.tensor([-1]), *(tensor.detach().clone() for tensor in state.values()))
    with torch.no_grad(), _quiet_exporter():
        program = torch.onnx.export(
            _FlatState(graph, names).eval(),
            inputs,
            input_names=["wave", "end", *names],
            output_names=["frames", "count", *(f"{name}_after" for name in names)],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            optimize=False,
        )
        assert program is not None
        _simplify(program.model)
        program.model.metadata_props.update(metadata)
        # One file is easier to move than two.
        program.save(path, external_data=False)


def _simplify(model: Any) -> None:
    """Fold constants, and remove what occurs twice or for nothing.

    Without the patterns that torch's exporter looks for as well: they take most of the time, and find nothing that ONNX
    Runtime does not find when it loads the file.
    """
    from onnx_ir.passes import common
    from onnxscript.optimizer import fold_constants

    common.InlinePass()(model)
    fold_constants(model)
    common.RemoveUnusedNodesPass()(model)
    common.RemoveUnusedOpsetsPass()(model)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    common.DeduplicateInitializersPass()(model)
    common.CommonSubexpressionEliminationPass()(model)
    common.ClearMetadataAndDocStringPass()(model)  # it names the source files of this machine


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


@contextlib.contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Suppress messages of torch's exporter that are meant for its developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
