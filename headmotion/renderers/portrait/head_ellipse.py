"""The head with its hair as an ellipse, estimated from the landmarks of the face."""

from __future__ import annotations

import numpy as np

from ...geometry.complex_points import ComplexPoints
from ...geometry.smoothstep import smoothstep
from .openings import component
from .warp import Weights

CENTER, HALF_HEIGHT, HALF_WIDTH = 0.85, 0.98, 0.85
"""Center above the chin and half axes of the ellipse, in units of the face from chin to brows."""
FADE, FADE_BELOW = (1.0, 2.0), (0.88, 1.4)
"""Multiples of the axes between which the head's motion fades; straight below, where the shoulders are, the second."""


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
        """Return 1 inside the ellipse, falling to 0 around it, at positions in the still picture."""
        height, radius = self._polar(points)
        # Downwards the motion ends sooner, because shoulders stay where they are.
        down = smoothstep(-height / np.maximum(radius, np.float32(1e-6)))
        (begin, end), (begin_below, end_below) = FADE, FADE_BELOW
        last = np.float32(end) + np.float32(end_below - end) * down
        span = np.float32(end - begin) + np.float32(end_below - begin_below - end + begin) * down
        faded: Weights = smoothstep((last - radius) / span)
        return faded

    def bulge(self, points: ComplexPoints) -> Weights:
        """Return how far the head stands out from its outline: 1 in the middle, 0 from the ellipse on."""
        bulge: Weights = np.clip(1 - self._polar(points)[1] ** 2, 0, 1)
        return bulge

    def _polar(self, points: ComplexPoints) -> tuple[Weights, Weights]:
        """Return height above the center and distance from it, both 1 on the ellipse."""
        offset = (points - np.complex64(self.center)) * np.complex64(np.conj(self.up) / self.face)
        height, width = offset.real / np.float32(HALF_HEIGHT), offset.imag / np.float32(HALF_WIDTH)
        return height, np.sqrt(height * height + width * width)
