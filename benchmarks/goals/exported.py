"""Goals of the bundled model exported as ONNX, in ONNX Runtime on one thread."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import onnxruntime

import headmotion as hm
from headmotion.export import write_onnx

from .measuring import Figure

CHUNKS, LEFT_OUT = 200, 20
"""Measured, and left out before them."""


def real_time() -> Figure:
    """Seconds of motion per second, from samples in memory to poses of the unit frame."""
    frames, took, _ = chunk_times(hm.load("ms-sync", device="cpu"))
    per_frame = float(np.median(took)) / frames
    return Figure(1 / 25 / per_frame, "x real time", f"{1000 * per_frame:.2f} ms per frame")


def push_latency() -> Figure:
    """Milliseconds from a pushed chunk to the frames that it determines."""
    frames, took, _ = chunk_times(hm.load("ms-sync", device="cpu"))
    median, late = np.percentile(1000 * took, [50, 99])
    return Figure(float(median), "ms", f"{frames} frames at once; 99th percentile {late:.1f} ms, {CHUNKS} chunks")


def chunk_times(pipe: hm.Pipeline, precision: Literal["32", "int8"] = "32") -> tuple[int, np.ndarray, float]:
    """Frames per chunk, the seconds that each of some chunks takes, and the megabytes of the file."""
    with TemporaryDirectory() as folder:
        model = write_onnx(pipe, Path(folder) / "model.onnx", precision=precision)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        with np.load(model.with_suffix(".npz")) as start:
            state = {each.name: start[each.name] for each in session.get_inputs()[2:]}
        megabytes = model.stat().st_size / 1e6
    size, frames = session.get_inputs()[0].shape[0], session.get_outputs()[0].shape[0]
    chance, took = np.random.default_rng(0), []
    for _ in range(LEFT_OUT + CHUNKS):
        wave = chance.normal(0, 0.05, size).astype(np.float32)
        began = time.perf_counter()
        _, _, *after = session.run(None, {"wave": wave, "end": np.array([-1]), **state})
        took.append(time.perf_counter() - began)
        state = dict(zip(state, after, strict=True))
    return frames, np.array(took[LEFT_OUT:]), megabytes
