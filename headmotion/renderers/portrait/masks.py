"""Soft masks, with outlines finer than pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...geometry.complex_points import Plane
from .warp import Box

SUBPIXELS = 4
"""Each pixel is sampled at this number of places, squared."""

Mask = npt.NDArray[np.float32]
"""Coverage ``[h, w]``, 0..1."""


def coverage(outline: Plane, box: Box) -> Mask:
    """How much of each pixel of ``box`` lies inside a closed outline."""
    fine = _fine_coverage(outline, box).astype(np.float32) / np.float32(255)
    return np.asarray(cv2.resize(fine, box.size, interpolation=cv2.INTER_AREA), np.float32)


def _fine_coverage(outline: Plane, box: Box) -> npt.NDArray[np.uint8]:
    """0 or 255 at each of `SUBPIXELS` squared parts of every pixel."""
    width, height = box.size
    fine = np.zeros((height * SUBPIXELS, width * SUBPIXELS), np.uint8)
    corners = np.column_stack([outline.real - box.x0, outline.imag - box.y0])
    cv2.fillPoly(fine, [np.round(((corners + 0.5) * SUBPIXELS - 0.5) * 16).astype(np.int32)], 255, shift=4)
    return fine


def blend(below: npt.NDArray[Any], above: npt.NDArray[Any], mask: Mask) -> npt.NDArray[np.float32]:
    """Colors ``above`` over those ``below`` where ``mask`` is 1, ``[h, w, 3]``."""
    base = below.astype(np.float32)
    mixed: npt.NDArray[np.float32] = base + (above.astype(np.float32) - base) * mask[..., None]
    return mixed


def signed_distance(outline: Plane, box: Box) -> Mask:
    """Pixels to the outline, positive inside."""
    inside = _fine_coverage(outline, box) // 255
    if not inside.any():
        return np.full(box.size[::-1], -1e3, np.float32)
    measure = cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    distance = cv2.distanceTransform(inside, *measure) - cv2.distanceTransform(1 - inside, *measure)
    return np.asarray(cv2.resize(distance / SUBPIXELS, box.size, interpolation=cv2.INTER_AREA), np.float32)
