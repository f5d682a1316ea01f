"""Smooth maps of the image plane: similarities, and the flow of still surroundings around a moving head.

Points of the plane are complex numbers ``x + iy`` in pixels. All maps run backward: for a position in the output they
give the position in the still picture from which its color comes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...geometry.complex_points import ComplexPoints
from ...geometry.rigid_fit import fit_plane_similarity

Weights = npt.NDArray[np.floating[Any]]
"""Weights 0..1, any shape."""


@dataclass(frozen=True)
class Similarity:
    """Rotation, scale and shift of the plane: ``z -> factor * z + shift``."""

    factor: complex
    shift: complex

    def at(self, z: complex) -> complex:
        """Map one point, in double precision."""
        return z * self.factor + self.shift

    def __call__(self, z: ComplexPoints) -> ComplexPoints:
        """Map points, in single precision if theirs is."""
        mapped: ComplexPoints = z * np.complex64(self.factor) + np.complex64(self.shift)
        return mapped

    def power(self, t: float) -> Similarity:
        """Return the same motion done ``t`` times; -1 inverts it, 1/8 is an eighth of the way."""
        factor = self.factor**t
        # The formula of a geometric series divides by zero for pure shifts.
        near_one = abs(self.factor - 1) < 1e-7
        return Similarity(factor, self.shift * (t if near_one else (factor - 1) / (self.factor - 1)))

    @staticmethod
    def between(source: ComplexPoints, target: ComplexPoints) -> Similarity:
        """Return the similarity that maps the line from the first to the last source point to that of the target."""
        (a, b), (c, d) = source[[0, -1]].tolist(), target[[0, -1]].tolist()
        factor = (d - c) / (b - a) if b != a else 1 + 0j
        factor = factor if abs(factor) > 1e-3 else 1e-3 + 0j
        return Similarity(factor, ((c + d) - factor * (a + b)) / 2)

    @staticmethod
    def fit(source: ComplexPoints, target: ComplexPoints) -> Similarity:
        """Fit by least squares over point pairs, without reflection; the scale is at least 1e-3."""
        factor, shift = fit_plane_similarity(source, target)
        if abs(factor) <= 1e-3:
            factor, shift = 1e-3, target.mean() - 1e-3 * source.mean()
        return Similarity(complex(factor), complex(shift))


def trace_back(
    points: ComplexPoints,
    motion: Similarity,
    weight: Callable[[ComplexPoints], Weights],
    steps: int = 4,
) -> ComplexPoints:
    """Return where points came from, if the plane flows with ``motion`` as far as ``weight`` lets it.

    The flow is followed in small steps, by the midpoint method. As long as each is much smaller than the width over
    which the weight falls, the map neither folds nor tears (a head may move by 0.6 of its face); where the weight is 1
    all along the way it is exactly the inverse motion.

    Args:
        points: positions in the output.
        motion: map from the still picture to the output.
        weight: 0..1 at positions in the still picture; it travels with the motion.
        steps: number of steps.
    """
    back, forth = motion.power(-0.5 / steps), motion.power(0.5 / steps)
    # Displacements: to the middle of a step, and by a whole step about its middle.
    half_step = Similarity(back.factor - 1, back.shift)
    step = Similarity(back.factor - forth.factor, back.shift - forth.shift)
    for remaining in range(steps, 0, -1):
        middle = points + weight(motion.power(-remaining / steps)(points)) * half_step(points)
        points = points + weight(motion.power((0.5 - remaining) / steps)(middle)) * step(middle)
    return points
