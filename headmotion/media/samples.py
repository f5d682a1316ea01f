"""Samples of any type as floats in -1..1, checked."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..core.errors import AudioError
from .audio_source import Samples

Wave = NDArray[np.float32]
"""A mono wave ``[S]`` in -1..1."""

MAX_CHANNELS = 64
MAX_PEAK = 64.0
"""Floats further beyond full scale are taken for integers that have not been divided by theirs."""
_SCALES = {"uint8": (128, 128), "int16": (0, 1 << 15), "int32": (0, 1 << 31)}
"""Zero level and full scale by type of integer."""


def as_samples(samples: ArrayLike | Tensor, name: str) -> Samples:
    """Return samples ``[S]`` or ``[S, C]`` of a type that `as_floats` converts.

    Raises:
        AudioError: another shape or type.
    """
    if isinstance(samples, torch.Tensor):
        samples = samples.detach().cpu()
        # NumPy has no such type.
        samples = samples.float() if samples.dtype is torch.bfloat16 else samples
    if isinstance(samples, bytes | bytearray | str):
        remedy = "numpy.frombuffer(data, numpy.int16) reads 16-bit samples"
        raise AudioError(name, "samples [S] or [S, C], an array", type(samples).__name__, remedy)
    try:
        array = np.asarray(samples)
    except ValueError:  # rows of different lengths
        raise AudioError(name, "samples [S] or [S, C]", "rows of different lengths") from None
    if array.ndim not in (1, 2) or (array.ndim == 2 and not 1 <= array.shape[1] <= MAX_CHANNELS):
        got = f"shape {array.shape}" if array.ndim else f"a {type(samples).__name__}"
        remedy = "transpose it if channels come first" if array.ndim else "give an array, and the rate after it"
        raise AudioError(name, f"samples [S] or [S, C] with C up to {MAX_CHANNELS}", got, remedy)
    if array.dtype.kind != "f" and array.dtype.name not in _SCALES:
        got = f"{array.dtype.name} samples"
        raise AudioError(name, "floats in -1..1, int16 or int32", got, "convert them to one of these")
    return array


def as_floats(samples: ArrayLike | Tensor, name: str) -> NDArray[np.float32]:
    """Return samples ``[S]`` or ``[S, C]`` as floats in -1..1.

    Args:
        samples: NumPy or torch, any type that `Audio` takes.
        name: what error messages call the audio.

    Raises:
        AudioError: another shape or type, or a sample that is not finite or far beyond full scale.
    """
    array = as_samples(samples, name)
    if array.dtype.kind == "f":
        peak = max(float(array.max(initial=0)), -float(array.min(initial=0)))
        if not peak <= MAX_PEAK:  # NaN compares with nothing, so this catches it too
            got = "a NaN" if np.isnan(array).any() else f"a peak of {peak:g}"
            raise AudioError(name, "finite samples in -1..1", got, "repair it, or divide by its full scale")
        # The type after which all arithmetic is the same, whatever the input was.
        return array.astype(np.float32)
    zero, full = _SCALES[array.dtype.name]
    floats: NDArray[np.float32] = (array.astype(np.float32) - zero) / np.float32(full)
    return floats
