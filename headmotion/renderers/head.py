"""Where the head with its hair is in a picture, judged by the landmarks of its face."""

from __future__ import annotations

import numpy as np

from .openings import along
from .warp import Plane, Weights, smoothstep

CENTER, HALF_HEIGHT, HALF_WIDTH = 0.85, 0.98, 0.85
"""Ellipse of the head with its hair: center above the chin and half axes, in units of the face from chin to brows."""
REACH = 2.0
"""The head's motion fades outside the ellipse and ends at this multiple of its axes."""


class Head:
    """The ellipse of a head with its hair, from the landmarks of the face."""

    def __init__(self, pose: Plane, up: complex) -> None:
        self.up = up / abs(up) if up else -1j
        height, width = along(pose, self.up), along(pose, self.up * 1j)
        self.face = max(1.0, float(np.ptp(height)), float(np.ptp(width)))
        middle = float(width.min() + width.max()) / 2
        self.center = self.up * (float(height.min()) + CENTER * self.face) + self.up * 1j * middle

    def radius(self, places: Plane) -> Weights:
        """Distance from the center at positions in the still picture: 1 on the ellipse."""
        apart = (places - np.complex64(self.center)) * np.complex64(np.conj(self.up) / self.face)
        radius: Weights = np.hypot(apart.real / np.float32(HALF_HEIGHT), apart.imag / np.float32(HALF_WIDTH))
        return radius

    def weight(self, places: Plane) -> Weights:
        """1 inside the ellipse, falling to 0 around it."""
        return smoothstep((REACH - self.radius(places)) / (REACH - 1))

    def bulge(self, places: Plane) -> Weights:
        """How far the head stands out from its outline: 1 in the middle, 0 from the ellipse on."""
        bulge: Weights = np.clip(1 - self.radius(places) ** 2, 0, 1)
        return bulge
