"""A pipeline's streaming graph as an ONNX file, compared with the pipeline before it is written."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections import Counter
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
from ..media.audio import Audio
from ..pipeline.pipeline import Pipeline
from ..pipeline.reference import Reference, ReferenceLike
from .onnx_initial_state import CHUNK_FRAMES, Arrays, initial_state, save_initial_state
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
        precision: bits of the large weights. With ``int8`` the motion differs, and a warning says by how much.

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
    with atomic_output(target) as temporary:
        state = graph.init_state(pipeline.representation.neutral().unsqueeze(0).cpu(), 0)
        _trace(graph, state, metadata, temporary)
        _check_against_pipeline(temporary, pipeline, start, resolved, seed)
        if precision == "int8":
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


def quantize_int8(path: Path) -> None:
    """Rewrite an ONNX file so that weights which every frame of a chunk reads are integers of 8 bits.

    Reading weights takes most of a frame's time where there are many. Products that run once per chunk stay as they
    are, because the audio's energies span too many orders of magnitude for 8 bits.

    Raises:
        HeadmotionError: the graph has no such weights.
    """
    import onnx

    import_onnx_runtime()
    from onnxruntime.quantization import quantize_dynamic  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from onnxruntime.quantization.quant_utils import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        add_pre_process_metadata,
    )

    model = onnx.load(path)
    weights = {tensor.name for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in weights]
    uses = Counter(node.input[1] for node in products)
    per_frame = [node.name for node in products if uses[node.input[1]] > 1]
    if not per_frame:
        raise HeadmotionError("export", "matrix products that frames of a chunk share, for int8", "none")
    add_pre_process_metadata(model)  # ONNX Runtime would otherwise advise to infer shapes, which are all known
    with _root_logger_unchanged():
        # With 7 bits of the weights, because sums of pairs of 8-bit products overflow on processors without VNNI.
        quantize_dynamic(model, path, nodes_to_quantize=per_frame, reduce_range=True)


class _FlatState(nn.Module):
    """The graph with its state as a list, as ONNX has it."""

    def __init__(self, graph: StreamingGraph, names: list[str]) -> None:
        super().__init__()
        self.wrapped, self.names = graph, names  # an exported module has a `graph` of its own

    @override
    def forward(self, wave: Tensor, end: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        frames, count, next_state = self.wrapped(wave, end, dict(zip(self.names, state, strict=True)))
        return (frames, count, *(next_state[name] for name in self.names))


def _trace(graph: StreamingGraph, state: dict[str, Tensor], metadata: dict[str, str], path: Path) -> None:
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

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
        )
        assert program is not None
        ClearMetadataAndDocStringPass()(program.model)  # it names the source files of this machine
        program.model.metadata_props.update(metadata)
        # One file is easier to move than two.
        program.save(path, external_data=False)


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


@contextlib.contextmanager
def _root_logger_unchanged() -> Iterator[None]:
    """Keep Python from setting up the root logger, as it does when a package logs by it first, which ONNX does."""
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    try:
        yield
    finally:
        logging.root.removeHandler(handler)
