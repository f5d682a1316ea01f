"""An exported graph run over a whole wave."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .onnx_initial_state import Arrays


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
