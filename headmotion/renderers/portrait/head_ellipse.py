"""Where the head with its hair is in a picture, judged by the landmarks of its face."""

from __future__ import annotations

import numpy as np

from ...geometry.complex_points import Plane
from ...geometry.smoothstep import smoothstep
from .openings import along
from .warp import Weights

CENTER, HALF_HEIGHT, HALF_WIDTH = 0.85, 0.98, 0.85
"""Ellipse of the head with its hair: center above the chin and half axes, in units of the face from chin to brows."""
FADE, FADE_BELOW = (1.0, 2.0), (0.88, 1.4)
"""Multiples of its axes between which the head's motion fades; and straight below, between chin and shoulders."""


class Head:
    """The ellipse of a head with its hair, from the landmarks of the face."""

    def __init__(self, pose: Plane, up: complex) -> None:
        self.up = up / abs(up) if up else -1j
        height, width = along(pose, self.up), along(pose, self.up * 1j)
        self.face = max(1.0, float(np.ptp(height)), float(np.ptp(width)))
        middle = float(width.min() + width.max()) / 2
        self.center = self.up * (float(height.min()) + CENTER * self.face) + self.up * 1j * middle

    def weight(self, places: Plane) -> Weights:
        """1 inside the ellipse, falling to 0 around it, at positions in the still picture."""
        height, radius = self._polar(places)
        down = smoothstep(-height / np.maximum(radius, np.float32(1e-6)))
        edges = zip(FADE, FADE_BELOW, strict=True)
        begin, end = (np.float32(around) + np.float32(below - around) * down for around, below in edges)
        return smoothstep((end - radius) / (end - begin))

    def bulge(self, places: Plane) -> Weights:
        """How far the head stands out from its outline: 1 in the middle, 0 from the ellipse on."""
        bulge: Weights = np.clip(1 - self._polar(places)[1] ** 2, 0, 1)
        return bulge

    def _polar(self, places: Plane) -> tuple[Weights, Weights]:
        """Height above the center and distance from it, where the ellipse has 1."""
        apart = (places - np.complex64(self.center)) * np.complex64(np.conj(self.up) / self.face)
        height, width = apart.real / np.float32(HALF_HEIGHT), apart.imag / np.float32(HALF_WIDTH)
        return height, np.sqrt(height * height + width * width)
