"""Goals of the bundled model as ONNX, in ONNX Runtime on one thread."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

import headmotion as hm
from headmotion.export import write_onnx
from headmotion.export.onnx_runtime import import_onnx_runtime

from .timing import Measurement

CHUNKS, WARM_UP = 200, 20
"""Chunks that are measured, and chunks before them that are not."""


def real_time() -> Measurement:
    """Measure seconds of motion per second, from samples in memory to poses of the unit frame."""
    frames, times, _ = chunk_times(hm.load("ms-sync", device="cpu"))
    per_frame = float(np.median(times)) / frames
    return Measurement(1 / 25 / per_frame, "x real time", f"{1000 * per_frame:.2f} ms per frame")


def push_latency() -> Measurement:
    """Measure the milliseconds from a pushed chunk to the frames that it determines."""
    frames, times, _ = chunk_times(hm.load("ms-sync", device="cpu"))
    median, late = np.percentile(1000 * times, [50, 99])
    return Measurement(float(median), "ms", f"{frames} frames at once; 99th percentile {late:.1f} ms, {CHUNKS} chunks")


def chunk_times(pipe: hm.Pipeline, precision: Literal["32", "int8"] = "32") -> tuple[int, np.ndarray, float]:
    """Return the frames per chunk, the seconds of each chunk, and the megabytes of the file."""
    with TemporaryDirectory() as folder:
        model = write_onnx(pipe, Path(folder) / "model.onnx", precision=precision)
        onnxruntime = import_onnx_runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        with np.load(model.with_suffix(".npz")) as start:
            state = {tensor.name: start[tensor.name] for tensor in session.get_inputs()[2:]}
        megabytes = model.stat().st_size / 1e6
    size, frames = session.get_inputs()[0].shape[0], session.get_outputs()[0].shape[0]
    rng, times = np.random.default_rng(0), []
    for _ in range(WARM_UP + CHUNKS):
        wave = rng.normal(0, 0.05, size).astype(np.float32)
        start_time = time.perf_counter()
        _, _, *after = session.run(None, {"wave": wave, "end": np.array([-1]), **state})
        times.append(time.perf_counter() - start_time)
        state = dict(zip(state, after, strict=True))
    return frames, np.array(times[WARM_UP:]), megabytes
