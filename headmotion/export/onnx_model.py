"""A pipeline's streaming step as an ONNX file, compared with the pipeline before it is written."""

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
from ..media.audio import Audio
from ..pipeline.pipeline import Pipeline
from ..pipeline.reference import Reference, ReferenceLike
from .onnx_initial_state import CHUNK, save_start, start
from .onnx_int8 import as_int8
from .streaming_graph import SpeechStep

TOLERANCE = 1e-4
"""Sides of the unit frame by which frames of the file may differ from the pipeline's."""
PACKAGES = ("onnx", "onnxscript", "onnxruntime")
OPSET = 20
"""Version of the ONNX operators: the first with GELU."""
SPEECH = Path(__file__).parents[1] / "assets" / "speech.flac"

_log = logging.getLogger("headmotion")


def write_onnx(
    pipeline: Pipeline,
    path: str | os.PathLike[str],
    reference: ReferenceLike = None,
    seed: int = 0,
    frames: int = CHUNK,
    precision: Literal["32", "int8"] = "32",
) -> Path:
    """Write the streaming step as ``.onnx`` and, under the same name, its start as ``.npz`` (see `write_start`).

    Inputs are ``wave`` ``[S]``, the samples of a chunk at the model's rate, ``end`` ``[1]``, the frames of the whole
    speech or -1 while that is not known, and the state by name. Outputs are ``frames`` ``[n, P, D]`` of the unit frame,
    ``count`` ``[1]``, how many of the first of them count, and the new state in the order of the old.

    Args:
        pipeline: what to export; its audio encoder and generator.
        path: the file; both appear whole or not at all.
        reference: as in `Pipeline.generate`.
        seed: the only source of chance.
        frames: frames per chunk, which the generator may want to be a multiple of something.
        precision: bits of the large weights. By ``int8`` the motion differs; a warning says by how much.

    Raises:
        HeadmotionError: the extra ``onnx`` is not installed, the pipeline has no step of fixed shapes, the file
            does not give the pipeline's frames, or nothing in it can be ``int8``.
    """
    target = Path(path)
    if target.suffix != ".onnx":
        raise HeadmotionError("export", "a name ending in .onnx", target.name)
    require_packages(PACKAGES, "headmotion[onnx]", "export")
    step = SpeechStep(pipeline, frames).eval()
    given = pipeline.reference(reference)  # found in a picture once
    begin = start(step, pipeline, given, seed)
    about = {"sample_rate": str(begin["sample_rate"]), "fps": str(begin["fps"]), "synthetic": "frames are synthetic"}
    with atomic_output(target) as temporary:
        _trace(step, step.init_state(pipeline.representation.neutral().unsqueeze(0).cpu(), 0), about, temporary)
        _compare(temporary, pipeline, begin, given, seed)
        if precision == "int8":
            as_int8(temporary)
            apart = _apart(temporary, pipeline, begin, given, seed, Audio.coerce(SPEECH))
            _log.warning("int8 moves frames by up to %.1e sides of the unit frame over ten seconds of speech", apart)
        save_start(begin, target.with_suffix(".npz"))
    return target


def run_onnx(session: Any, start: dict[str, NDArray[Any]], wave: NDArray[Any], total: int) -> NDArray[Any]:
    """The ``total`` frames ``[T, P, D]`` of the unit frame that an ONNX Runtime session makes of a whole wave."""
    names = [each.name for each in session.get_inputs()]
    size = session.get_inputs()[0].shape[0]
    state = {name: start[name] for name in names[2:]}
    pieces, done, first = [], 0, 0
    while done < total:
        chunk = np.zeros(size, np.float32)
        heard = wave[first : first + size]
        chunk[: len(heard)] = heard
        first += size
        end = np.array([total if first >= len(wave) else -1], np.int64)
        frames, count, *after = session.run(None, {"wave": chunk, "end": end, **state})
        state = dict(zip(state, after, strict=True))
        pieces.append(frames[: count[0]])
        done += int(count[0])
    return np.concatenate(pieces)


class _Flat(nn.Module):
    """The step with its state as a list, as ONNX has it."""

    def __init__(self, step: SpeechStep, names: list[str]) -> None:
        super().__init__()
        self.step, self.names = step, names

    @override
    def forward(self, wave: Tensor, end: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        frames, count, after = self.step(wave, end, dict(zip(self.names, state, strict=True)))
        return (frames, count, *(after[name] for name in self.names))


def _trace(step: SpeechStep, state: dict[str, Tensor], about: dict[str, str], path: Path) -> None:
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    names = list(state)
    # Copies, for tensors that are one object become one input.
    inputs = (torch.zeros(step.samples), torch.tensor([-1]), *(tensor.detach().clone() for tensor in state.values()))
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            _Flat(step, names).eval(),
            inputs,
            input_names=["wave", "end", *names],
            output_names=["frames", "count", *(f"{name}_after" for name in names)],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        ClearMetadataAndDocStringPass()(program.model)  # the places in this machine's code that each node stems from
        program.model.metadata_props.update(about)
        program.save(path, external_data=False)


def _compare(path: Path, pipeline: Pipeline, begin: dict[str, NDArray[Any]], reference: Reference, seed: int) -> None:
    """Raise unless the file gives the pipeline's frames for noise that ends within a chunk."""
    rate = int(begin["sample_rate"])
    noise = 0.1 * np.random.default_rng(0).standard_normal(round(2.2 * rate)).astype(np.float32)
    apart = _apart(path, pipeline, begin, reference, seed, Audio(noise, rate))
    if not apart <= TOLERANCE:
        raise HeadmotionError("export", f"a step equal to the pipeline's within {TOLERANCE:g}", f"{apart:.2g} apart")


def _apart(
    path: Path, pipeline: Pipeline, begin: dict[str, NDArray[Any]], reference: Reference, seed: int, audio: Audio
) -> float:
    """The largest distance, in sides of the unit frame, between frames of the file and of the pipeline."""
    import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]

    wanted = pipeline.generate(audio, reference, seed)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    got = run_onnx(session, begin, audio.read(int(begin["sample_rate"])), len(wanted))
    return float(np.abs(got - pipeline.representation.normalize(wanted.values, reference.frame).numpy()).max())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what torch's exporter says to those who write exporters."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
