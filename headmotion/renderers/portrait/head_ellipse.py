"""The head with its hair as an ellipse, estimated from the landmarks of the face."""

from __future__ import annotations

from functools import cache

import numpy as np

from ...geometry.complex_points import ComplexPoints
from ...geometry.smoothstep import smoothstep
from .opencv_maps import look_up
from .openings import component
from .warp import Similarity, Weights

CENTER, HALF_HEIGHT, HALF_WIDTH = 0.85, 0.98, 0.85
"""Center above the chin and half axes of the ellipse, in units of the face from chin to brows."""
FADE, FADE_BELOW = (1.0, 2.0), (0.88, 1.4)
"""Multiples of the axes between which the head's motion fades; straight below, where the shoulders are, the second."""
OUTLINE_POINTS = 64
"""Corners of the polygon outside of which nothing moves."""
CELLS = 64
"""Cells of the table of weights per unit of the face; its weights are accurate to 0.001."""
REACH = max(FADE) * max(HALF_HEIGHT, HALF_WIDTH) + 1 / CELLS
"""Distance from the center from which on nothing moves, in units of the face."""
MIDDLE_CELL = int(np.ceil(REACH * CELLS)) + 1
"""Row and column of the center in the tables."""


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
        per_pixel = CELLS * self.up.conjugate() / self.face
        angle = 2 * np.pi * np.arange(OUTLINE_POINTS) / OUTLINE_POINTS
        # The weights are interpolated between cells, and a polygon's sides lie inside of the curve.
        radius = _fade(np.cos(angle))[1] + 1.5 / CELLS
        outline = radius * (HALF_HEIGHT * np.cos(angle) + 1j * HALF_WIDTH * np.sin(angle))
        self.outline: ComplexPoints = self.center + self.face * self.up * outline
        """Closed outline ``[OUTLINE_POINTS]`` beyond which nothing moves."""
        self._cells = Similarity(per_pixel, complex(1, 1) * MIDDLE_CELL - per_pixel * self.center)
        """From positions to cells of the tables, whose rows run to the side and whose columns run upwards."""

    def weight(self, points: ComplexPoints) -> Weights:
        """Return 1 inside the ellipse, falling to 0 around it, at positions ``[n]`` or ``[h, w]`` in the still picture.

        From a table, because every frame asks for the weights of thousands of points many times.
        """
        # Beyond the table it is 0.
        return look_up(_tables()[0], self._cells(points))

    def weight_and_bulge(self, points: ComplexPoints) -> tuple[Weights, Weights]:
        """Return the weight, and how far the head stands out: 1 in the middle, 0 from the ellipse on."""
        cells = self._cells(points)
        weights, bulges = _tables()
        return look_up(weights, cells), look_up(bulges, cells)


@cache
def _tables() -> tuple[Weights, Weights]:
    """Return the weights and the bulge, both ``[n, n]``, at the nodes of a grid around the center."""
    axis = np.arange(-MIDDLE_CELL, MIDDLE_CELL + 1) / CELLS
    height, width = axis / HALF_HEIGHT, axis[:, None] / HALF_WIDTH
    radius = np.hypot(height, width)
    first, last = _fade(height / np.maximum(radius, 1e-6))
    bulge = np.maximum(1 - radius * radius, 0)
    return smoothstep((last - radius) / (last - first)).astype(np.float32), bulge.astype(np.float32)


def _fade(upwards: Weights) -> tuple[Weights, Weights]:
    """Return between which multiples of the axes the motion fades, for the upward component of directions."""
    # Downwards the motion ends sooner, because shoulders stay where they are.
    down = smoothstep(-upwards)
    (first, last), (first_below, last_below) = FADE, FADE_BELOW
    return first + (first_below - first) * down, last + (last_below - last) * down
