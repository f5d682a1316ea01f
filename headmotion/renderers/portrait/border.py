"""The border of the picture: a head that it cuts moves without showing what is not in the picture.

Where the warp would take a pixel from beyond the border, what lies between the border and the face is stretched
instead: the outermost pixels stay at the border. Where the warp moves content out of the picture nothing changes. A
head that would have to be stretched too much moves less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt

from ...geometry.complex_points import ComplexPoints
from .box import Box, SourceMap

SAMPLES = 33
"""Points along a side of the picture at which the need of a motion is estimated."""
DEPTH = 2.0
"""Depth that is stretched, in lengths of the need, where there is room: to twice its width at the border, by a half on
average."""
MAX_NEED = 0.8
"""How far a motion may reach beyond a side, as a part of the room between the side and the face."""

Distances = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Side:
    """A side of the picture. Distances are counted from its outermost pixels inwards, negative beyond them."""

    axis: int
    """0 for left and right, 1 for top and bottom."""
    start: float
    """Coordinate of its pixels."""
    sign: int
    """1 where coordinates increase inwards: left and top; else -1."""
    room: float
    """Distance of the nearest eye or lip (px)."""
    points: ComplexPoints
    """Positions ``[SAMPLES]`` along it."""

    def distance(self, coordinate: npt.NDArray[np.float32]) -> Distances:
        """Return the distance from this side of coordinates along its axis."""
        return (coordinate - np.float32(self.start)) * np.float32(self.sign)

    def excess(self, sources: ComplexPoints) -> complex:
        """Return the shift of a head, into the side, by which a motion with these sources needs no more than it may.

        The need is limited smoothly, so that a head which moves on slows down and does not stop at once.
        """
        need = max(0.0, -float(self.distance(sources.imag if self.axis else sources.real).min()))
        limit = MAX_NEED * self.room
        return -self.sign * (1j if self.axis else 1) * (need - limit * float(np.tanh(need / limit)))

    def pin(self, rows: npt.NDArray[np.float32]) -> None:
        """Stretch, in place, coordinates ``[h, w]`` of sources, in rows that begin at this side."""
        need = np.maximum(-self.distance(rows[0]), 0)
        if not (columns := np.flatnonzero(need)).size:
            return
        needed = slice(columns[0], columns[-1] + 1)
        rows, need = rows[:, needed], need[needed]
        depth = np.minimum(DEPTH * need, self.room) + np.float32(1e-6)
        # What is stretched lies within depth and need together, unless the map stretches it already.
        part = rows[: 8 + 2 * int(depth.max() + need.max())]
        fade = np.clip((depth - self.distance(part)) / (depth + need), 0, 1)
        # To the power of 1.5, with which the stretching begins without a crease.
        fade *= np.sqrt(fade)
        part += np.float32(self.sign) * need * fade


class Border:
    """The four sides of a picture.

    Args:
        box: of the picture.
        openings: points ``[N]`` of eyes and mouth in it, which are not stretched.
    """

    def __init__(self, box: Box, openings: ComplexPoints) -> None:
        self.box = box
        right, bottom = box.x1 - 1, box.y1 - 1
        along = np.linspace(0, 1, SAMPLES, dtype=np.float32).astype(np.complex64)
        x, y = openings.real, openings.imag
        self.sides = (
            Side(0, 0, 1, _room(x.min()), along * (bottom * 1j)),
            Side(0, right, -1, _room(right - x.max()), along * (bottom * 1j) + right),
            Side(1, 0, 1, _room(y.min()), along * right),
            Side(1, bottom, -1, _room(bottom - y.max()), along * right + bottom * 1j),
        )
        """Left, right, top and bottom."""

    def retreat(self, area: Box, trace_back: Callable[[ComplexPoints], ComplexPoints]) -> complex:
        """Return by how much a head must be shifted so that its motion does not stretch the picture too much.

        Args:
            area: the part of the plane that moves.
            trace_back: the map from positions in the frame to positions in the picture.
        """
        if not (sides := self._reached(area)):
            return 0j
        sources = trace_back(np.stack([side.points for side in sides]))
        return sum((side.excess(own) for side, own in zip(sides, sources, strict=True)), 0j)

    def pin(self, source: SourceMap, area: Box) -> None:
        """Change, in place, a map ``[h, w]`` of the pixels of ``area`` so that it stays inside the picture."""
        for side in self._reached(area):
            coordinates = source.imag if side.axis else source.real.T
            side.pin(coordinates[:: side.sign])

    def _reached(self, area: Box) -> list[Side]:
        """Return the sides that an area reaches."""
        box = self.box
        reached = area.x0 <= box.x0, area.x1 >= box.x1, area.y0 <= box.y0, area.y1 >= box.y1
        return list(compress(self.sides, reached))


def _room(distance: float) -> float:
    # Eyes or lips that the border cuts itself must not divide by zero.
    return max(float(distance), 2.0)
