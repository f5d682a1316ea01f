"""The head with its hair as an ellipse, estimated from the landmarks of the face."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from ...geometry.complex_points import ComplexPoints
from ...geometry.smoothstep import smoothstep
from .openings import component
from .warp import Weights

CENTER, HALF_HEIGHT, HALF_WIDTH = 0.85, 0.98, 0.85
"""Center above the chin and half axes of the ellipse, in units of the face from chin to brows."""
FADE, FADE_BELOW = (1.0, 2.0), (0.88, 1.4)
"""Multiples of the axes between which the head's motion fades; straight below, where the shoulders are, the second."""
CELLS = 64
"""Cells of the table of weights per unit of the face; its weights are accurate to 0.001."""
REACH = max(FADE) * max(HALF_HEIGHT, HALF_WIDTH) + 1 / CELLS
"""Distance from the center from which on nothing moves, in units of the face."""


class HeadEllipse:
    """The ellipse of a head with its hair.

    Args:
        pose: landmarks ``[P]`` of the face.
        up: vector from the mouth up to the eyes, any length.
    """

    def __init__(self, pose: ComplexPoints, up: complex) -> None:
        self.up = up / abs(up) if up else -1j
        height, width = component(pose, self.up), component(pose, self.up * 1j)
        self.face = max(1.0, float(np.ptp(height)), float(np.ptp(width)))
        """Size of the face from chin to brows (px), the unit of lengths here."""
        middle = float(width.min() + width.max()) / 2
        self.center = self.up * (float(height.min()) + CENTER * self.face) + self.up * 1j * middle

    def weight(self, points: ComplexPoints) -> Weights:
        """Return 1 inside the ellipse, falling to 0 around it, at positions ``[n]`` or ``[h, w]`` in the still picture.

        From a table, because every frame asks for the weights of thousands of points many times.
        """
        cells = self._offset(points) * np.float32(CELLS) + np.complex64(complex(1, 1) * (len(_weights()) // 2))
        x, y = (np.ascontiguousarray(np.atleast_2d(part)) for part in (cells.real, cells.imag))
        # Beyond the table it is 0.
        return np.asarray(cv2.remap(_weights(), x, y, cv2.INTER_LINEAR), np.float32).reshape(cells.shape)

    def bulge(self, points: ComplexPoints) -> Weights:
        """Return how far the head stands out from its outline: 1 in the middle, 0 from the ellipse on."""
        height, width = _in_axes(self._offset(points))
        bulge: Weights = np.maximum(1 - (height * height + width * width), 0)
        return bulge

    def _offset(self, points: ComplexPoints) -> npt.NDArray[np.complex64]:
        """Return offsets from the center in units of the face, whose real part points up."""
        offset = (points - np.complex64(self.center)) * np.complex64(np.conj(self.up) / self.face)
        return offset.astype(np.complex64, copy=False)


@cache
def _weights() -> npt.NDArray[np.float32]:
    """Return the weights ``[n, n]`` at the nodes of a grid around the center; rows run to the side, columns upwards."""
    half = int(np.ceil(REACH * CELLS)) + 1
    axis = np.arange(-half, half + 1) / CELLS
    height, width = _in_axes(axis + 1j * axis[:, None])
    radius = np.sqrt(height * height + width * width)
    # Downwards the motion ends sooner, because shoulders stay where they are.
    down = smoothstep(-height / np.maximum(radius, 1e-6))
    (begin, end), (begin_below, end_below) = FADE, FADE_BELOW
    last = end + (end_below - end) * down
    span = end - begin + (end_below - begin_below - end + begin) * down
    return smoothstep((last - radius) / span).astype(np.float32)


def _in_axes(offset: ComplexPoints) -> tuple[Weights, Weights]:
    """Return height above the center and distance to the side, both 1 on the ellipse."""
    return offset.real * np.float32(1 / HALF_HEIGHT), offset.imag * np.float32(1 / HALF_WIDTH)
