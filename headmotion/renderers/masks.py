"""Rectangles of pixels, and soft masks with outlines finer than pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .warp import Plane

SUBPIXELS = 4
"""Each pixel is sampled at this number of places, squared."""

Mask = npt.NDArray[np.float32]
"""Coverage ``[h, w]``, 0..1."""


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels: ``x0 <= x < x1``, ``y0 <= y < y1``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @staticmethod
    def around(places: Plane, room: float) -> Box:
        """The box around points, with ``room`` pixels on each side."""
        low, high = places.real.min() - room, places.real.max() + room
        top, bottom = places.imag.min() - room, places.imag.max() + room
        return Box(int(np.floor(low)), int(np.floor(top)), int(np.ceil(high)) + 1, int(np.ceil(bottom)) + 1)

    def clip(self, other: Box) -> Box:
        """The part inside ``other``; empty where they do not meet."""
        x0, y0 = max(self.x0, other.x0), max(self.y0, other.y0)
        return Box(x0, y0, max(x0, min(self.x1, other.x1)), max(y0, min(self.y1, other.y1)))

    def __bool__(self) -> bool:
        return self.x1 > self.x0 and self.y1 > self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the box in a picture."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def within(self, whole: Box) -> tuple[slice, slice]:
        """Index of the box in an array that covers ``whole``."""
        return slice(self.y0 - whole.y0, self.y1 - whole.y0), slice(self.x0 - whole.x0, self.x1 - whole.x0)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.x1 - self.x0, self.y1 - self.y0


def coverage(outline: Plane, box: Box) -> Mask:
    """How much of each pixel of ``box`` lies inside a closed outline."""
    return (
        np.asarray(cv2.resize(_fine_coverage(outline, box), box.size, interpolation=cv2.INTER_AREA), np.float32) / 255
    )


def _fine_coverage(outline: Plane, box: Box) -> npt.NDArray[np.uint8]:
    """0 or 255 at each of `SUBPIXELS` squared parts of every pixel."""
    width, height = box.size
    fine = np.zeros((height * SUBPIXELS, width * SUBPIXELS), np.uint8)
    corners = np.column_stack([outline.real - box.x0, outline.imag - box.y0])
    cv2.fillPoly(fine, [np.round(((corners + 0.5) * SUBPIXELS - 0.5) * 16).astype(np.int32)], 255, shift=4)
    return fine


def blend(below: npt.NDArray[Any], above: npt.NDArray[Any], mask: Mask) -> npt.NDArray[np.float32]:
    """``above`` over ``below`` where ``mask`` is 1."""
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
    return np.asarray(cv2.resize(distance, box.size, interpolation=cv2.INTER_AREA), np.float32) / SUBPIXELS
