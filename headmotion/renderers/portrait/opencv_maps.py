"""Complex points as the maps of OpenCV, and values of pictures at them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...geometry.complex_points import ComplexPoints

NO_MAP: Any = None
"""The second map where the first one has both coordinates; OpenCV's annotations lack None."""
ROW = 2**15 - 1
"""Longest row of a map that OpenCV takes."""


def as_pairs(points: ComplexPoints) -> npt.NDArray[np.float32]:
    """Return complex points ``[...]`` as pairs ``[..., 2]``, as OpenCV takes them."""
    return np.ascontiguousarray(points, np.complex64)[..., None].view(np.float32)


def look_up(
    picture: npt.NDArray[Any],
    source: ComplexPoints,
    interpolation: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_CONSTANT,
    outside: float = 0.0,
) -> npt.NDArray[Any]:
    """Return the values of a picture ``[H, W]`` or ``[H, W, C]`` at a few positions ``[n]`` or ``[h, w]`` in it.

    Args:
        picture: the picture.
        source: the positions.
        interpolation: OpenCV's method.
        border: OpenCV's rule for positions beyond the border.
        outside: their value where the border is constant.
    """
    pairs = as_pairs(source)
    # OpenCV divides rows among threads, which then keep processors busy waiting for more. A single row wakes none.
    if source.size <= ROW:
        pairs = pairs.reshape(1, -1, 2)
    values = cv2.remap(picture, pairs, NO_MAP, interpolation, borderMode=border, borderValue=outside)
    return np.asarray(values).reshape(*source.shape, *picture.shape[2:])
