"""Smooth maps of the picture plane: a moving head in still surroundings, and what its landmarks add.

Points of the plane are complex numbers ``x + iy`` in pixels. All maps run backward: they say for a place in the
output where in the still picture its color lies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...geometry.complex_points import Plane
from ...geometry.rigid_fit import fit_plane_similarity

Weights = npt.NDArray[np.floating[Any]]
"""Weights 0..1, any shape."""
Field = npt.NDArray[np.float32]
"""Displacements ``[H, W, 2]`` in pixels, x and y."""


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

    def union(self, other: Box) -> Box:
        """The smallest box around both; an empty one counts for nothing."""
        if not (self and other):
            return self or other
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def holds(self, place: complex) -> bool:
        """Whether a position lies in the box."""
        return self.x0 <= place.real < self.x1 and self.y0 <= place.imag < self.y1

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


@dataclass(frozen=True)
class Similarity:
    """Rotation, scale and shift: ``z -> turn * z + shift``."""

    turn: complex
    shift: complex

    def at(self, z: complex) -> complex:
        """The image of one point."""
        return z * self.turn + self.shift

    def __call__(self, z: Plane) -> Plane:
        """The image of points."""
        moved: Plane = z * np.complex64(self.turn) + np.complex64(self.shift)
        return moved

    def power(self, t: float) -> Similarity:
        """The same motion done ``t`` times; -1 inverts it, 1/8 is an eighth of the way."""
        turn = self.turn**t
        near_one = abs(self.turn - 1) < 1e-7
        return Similarity(turn, self.shift * (t if near_one else (turn - 1) / (self.turn - 1)))

    @staticmethod
    def fit(source: Plane, target: Plane) -> Similarity:
        """Least squares over point pairs, without reflection; the scale is at least 1e-3."""
        turn, shift = fit_plane_similarity(source, target)
        if abs(turn) <= 1e-3:
            turn, shift = 1e-3, target.mean() - 1e-3 * source.mean()
        return Similarity(complex(turn), complex(shift))


def trace_back(
    places: Plane,
    motion: Similarity,
    weight: Callable[[Plane], Weights],
    steps: int = 12,
) -> Plane:
    """Where ``places`` came from, if the plane flows with ``motion`` as far as ``weight`` lets it.

    The flow is followed in small steps. As long as each is much smaller than the width over which the weight falls, the
    map neither folds nor tears (a head may move by 0.6 of its face); where the weight is 1 all along the way it is
    exactly the inverse motion.

    Args:
        places: complex positions in the output.
        motion: from the still picture to the output.
        weight: 0..1 at positions given as in the still picture; it travels with the motion.
        steps: number of steps.
    """
    back = motion.power(-1 / steps)
    for left in range(steps, 0, -1):
        home = motion.power(-left / steps)(places)
        places = places + weight(home) * (back(places) - places)
    return places


def interpolate(
    nodes: Plane, values: Plane, places: Plane, radius: float, subsets: list[npt.NDArray[np.intp]], ridge: float = 1e-3
) -> list[Plane]:
    """Displacements at ``places`` that pass through ``values`` at ``nodes`` and fade out within ``radius``.

    Radial basis ``(1 - r)^4 (4 r + 1)`` (Wendland 1995), which is smooth and of compact support. One field is made
    for each subset of the nodes; a small ridge keeps nodes that nearly fall together from fighting each other.
    """
    among, basis = _wendland(nodes, nodes, radius), _wendland(places.ravel(), nodes, radius)
    fields = []
    for kept in subsets:
        weights = np.zeros((len(nodes), 2), np.float32)
        target = np.column_stack([values[kept].real, values[kept].imag]).astype(np.float64)
        inner = among[np.ix_(kept, kept)].astype(np.float64) + ridge * np.eye(len(kept))
        weights[kept] = np.linalg.solve(inner, target)
        fields.append((basis @ weights).view(np.complex64).reshape(places.shape))
    return fields


def _wendland(places: Plane, nodes: Plane, radius: float) -> npt.NDArray[np.float32]:
    """The basis of each node at each place, ``[places, nodes]``; worked out in place, for there are many."""
    x = np.subtract.outer(places.real, nodes.real).astype(np.float32)
    y = np.subtract.outer(places.imag, nodes.imag).astype(np.float32)
    x *= x
    y *= y
    x += y
    r: npt.NDArray[np.float32] = np.minimum(np.sqrt(x, out=x) / np.float32(radius), 1)
    rest = 1 - r
    rest *= rest
    rest *= rest
    rest *= 4 * r + 1
    return rest


@dataclass(frozen=True)
class Lattice:
    """A coarse grid over part of the picture: ``step`` pixels from node to node, nodes in the middle of cells."""

    box: Box
    step: int

    @staticmethod
    def over(box: Box, step: int) -> Lattice:
        """The smallest lattice that covers a box. Nodes lie at the same places whatever the box."""
        x0, y0 = box.x0 // step, box.y0 // step
        x1, y1 = max(x0 + 1, -(-box.x1 // step)), max(y0 + 1, -(-box.y1 // step))
        return Lattice(Box(x0 * step, y0 * step, x1 * step, y1 * step), step)

    def places(self) -> Plane:
        """Positions ``[rows, columns]``."""
        half = (self.step - 1) / 2
        x = np.arange(self.box.x0, self.box.x1, self.step, dtype=np.float32) + np.float32(half)
        y = np.arange(self.box.y0, self.box.y1, self.step, dtype=np.float32) + np.float32(half)
        return (x[None, :] + 1j * y[:, None]).astype(np.complex64)

    def pixels(self, field: Plane) -> Field:
        """A field on the lattice at every pixel of its box, ``[h, w, 2]``."""
        pair = np.ascontiguousarray(field, dtype=np.complex64).view(np.float32).reshape(*field.shape, 2)
        return np.asarray(cv2.resize(pair, self.box.size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)

    def support(self, field: Plane) -> Box:
        """The box outside of which a field on the lattice moves nothing."""
        rows, columns = np.nonzero(np.abs(field) > 1e-3)
        if not len(rows):
            return Box(self.box.x0, self.box.y0, self.box.x0, self.box.y0)
        x0, y0 = self.box.x0 + int(columns.min() - 2) * self.step, self.box.y0 + int(rows.min() - 2) * self.step
        x1, y1 = self.box.x0 + int(columns.max() + 3) * self.step, self.box.y0 + int(rows.max() + 3) * self.step
        return Box(x0, y0, x1, y1)
