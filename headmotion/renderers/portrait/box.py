"""Rectangles of whole pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...geometry.complex_points import ComplexPoints

SourceMap = npt.NDArray[np.complex64]
"""Positions or displacements ``[H, W]`` in pixels."""


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels: ``x0 <= x < x1``, ``y0 <= y < y1``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @staticmethod
    def around(points: ComplexPoints, margin: float) -> Box:
        """Return the box around points, with ``margin`` pixels on each side."""
        left, right = points.real.min() - margin, points.real.max() + margin
        top, bottom = points.imag.min() - margin, points.imag.max() + margin
        return Box(math.floor(left), math.floor(top), math.ceil(right) + 1, math.ceil(bottom) + 1)

    def clip(self, other: Box) -> Box:
        """Return the part inside ``other``; empty where they do not meet."""
        x0, y0 = max(self.x0, other.x0), max(self.y0, other.y0)
        return Box(x0, y0, max(x0, min(self.x1, other.x1)), max(y0, min(self.y1, other.y1)))

    def union(self, other: Box) -> Box:
        """Return the smallest box around both; an empty one is ignored."""
        if not (self and other):
            return self or other
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def grow(self, margin: int) -> Box:
        """Return a box with ``margin`` more pixels on each side."""
        return Box(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)

    def contains(self, point: complex) -> bool:
        """Return whether a position lies in the box."""
        return self.x0 <= point.real < self.x1 and self.y0 <= point.imag < self.y1

    def __bool__(self) -> bool:
        return self.x1 > self.x0 and self.y1 > self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the box in a picture."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def within(self, outer: Box) -> tuple[slice, slice]:
        """Return the index of the box in arrays ``[h, w]`` that cover ``outer``."""
        return slice(self.y0 - outer.y0, self.y1 - outer.y0), slice(self.x0 - outer.x0, self.x1 - outer.x0)

    @property
    def axes(self) -> tuple[SourceMap, SourceMap]:
        """Positions of the columns ``[w]`` and, imaginary, of the rows ``[h, 1]``."""
        x, y = np.arange(self.x0, self.x1), np.arange(self.y0, self.y1)
        return x.astype(np.complex64), (1j * y[:, None]).astype(np.complex64)

    @property
    def pixels(self) -> SourceMap:
        """Positions ``[h, w]`` of the pixels."""
        columns, rows = self.axes
        return columns + rows

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.x1 - self.x0, self.y1 - self.y0
