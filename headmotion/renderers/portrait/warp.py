"""Smooth maps of the image plane: a moving head in still surroundings, and what its landmarks add.

Points of the plane are complex numbers ``x + iy`` in pixels. All maps run backward: for a position in the output they
give the position in the still picture from which its color comes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...geometry.complex_points import ComplexPoints
from ...geometry.rigid_fit import fit_plane_similarity
from .opencv_maps import as_pairs

Weights = npt.NDArray[np.floating[Any]]
"""Weights 0..1, any shape."""
SourceMap = npt.NDArray[np.complex64]
"""Positions or displacements ``[H, W]`` in pixels."""

ONE_THREAD_PIXELS = 3 * 2**15 - 1
"""Most pixels that OpenCV resizes in one thread."""


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


def interpolate(
    nodes: ComplexPoints,
    values: ComplexPoints,
    grid: Grid,
    radius: float,
    subsets: list[npt.NDArray[np.intp]],
    ridge: float = 1e-3,
) -> list[tuple[ComplexPoints, ComplexPoints]]:
    """Interpolate displacements that are known at nodes and fade out within ``radius`` of them.

    Source: radial basis ``(1 - r)^4 (4 r + 1)`` (Wendland 1995), which is smooth and of compact support.

    Args:
        nodes: positions ``[N]`` of the nodes.
        values: displacements ``[N]`` at the nodes.
        grid: the grid at whose nodes to interpolate.
        radius: reach of a node (px).
        subsets: indices of nodes; one field is computed from each subset.
        ridge: weight of the regularization, by which nodes that nearly coincide do not produce huge coefficients.

    Returns:
        For each subset a field of displacements ``[rows, columns]``, and what it is at the nodes ``[N]``.
    """
    between = nodes[:, None] - nodes
    gram = _wendland((between.real**2 + between.imag**2).astype(np.float32), radius)
    system, targets = gram + ridge * np.eye(len(nodes)), np.column_stack([values.real, values.imag])
    coefficients = np.zeros((2 * len(subsets), len(nodes)), np.float32)
    for k, subset in enumerate(subsets):
        coefficients[2 * k : 2 * k + 2, subset] = np.linalg.solve(system[np.ix_(subset, subset)], targets[subset]).T
    cells, squared = grid.neighbors(nodes, radius)
    basis = _wendland(squared, radius)
    parts = [grid.scatter(cells, basis * row[:, None, None]) for row in coefficients]
    at_nodes = coefficients @ gram
    return [(parts[k] + 1j * parts[k + 1], at_nodes[k] + 1j * at_nodes[k + 1]) for k in range(0, len(parts), 2)]


def _wendland(squared: npt.NDArray[np.float32], radius: float) -> npt.NDArray[np.float32]:
    """Return the basis function at squared distances, whose array it uses up."""
    # In place: the arrays are large, and allocating them costs more than the arithmetic.
    r = np.sqrt(squared, out=squared)
    r *= np.float32(1 / radius)
    np.minimum(r, 1, out=r)
    value = 1 - r
    value *= value
    value *= value
    r *= 4
    r += 1
    value *= r
    return value


@dataclass(frozen=True)
class Grid:
    """A coarse grid over part of the picture: ``step`` pixels from node to node, nodes in the middle of cells."""

    box: Box
    step: int

    @staticmethod
    def covering(box: Box, step: int) -> Grid:
        """Return the smallest grid that covers a box. Nodes lie at the same positions whatever the box."""
        # Multiples of the step, so that a field does not swim when its box changes from frame to frame.
        x0, y0 = box.x0 // step, box.y0 // step
        x1, y1 = max(x0 + 1, -(-box.x1 // step)), max(y0 + 1, -(-box.y1 // step))
        return Grid(Box(x0 * step, y0 * step, x1 * step, y1 * step), step)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns of nodes."""
        width, height = self.box.size
        return height // self.step, width // self.step

    def nodes(self) -> ComplexPoints:
        """Return the positions ``[rows, columns]`` of the nodes."""
        x, y = self._axes()
        return (x[None, :] + 1j * y[:, None]).astype(np.complex64)

    def neighbors(self, points: ComplexPoints, radius: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
        """Return the nodes around points ``[N]``: all within ``radius`` of each, and some others.

        Returns:
            Their cells, as `scatter` takes them, and their squared distances from the points, both ``[N, k, k]``.
        """
        rows, columns = self.shape
        count, half = int(2 * radius / self.step) + 1, (self.step - 1) / 2
        x, dx = _around(points.real - (self.box.x0 + half), radius, self.step, count)
        y, dy = _around(points.imag - (self.box.y0 + half), radius, self.step, count)
        # A frame of cells around the grid takes what lies outside.
        x, y = np.minimum(np.maximum(x, -1), columns) + 1, np.minimum(np.maximum(y, -1), rows) + 1
        return y[:, :, None] * (columns + 2) + x[:, None], (dy * dy)[:, :, None] + (dx * dx)[:, None]

    def scatter(self, cells: npt.NDArray[np.intp], values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the sums ``[rows, columns]`` of values that belong to cells of `neighbors`."""
        rows, columns = self.shape
        sums = np.bincount(cells.ravel(), values.ravel(), (rows + 2) * (columns + 2))
        return sums.reshape(rows + 2, columns + 2)[1:-1, 1:-1].astype(np.float32)

    def _axes(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        half = np.float32((self.step - 1) / 2)
        x = np.arange(self.box.x0, self.box.x1, self.step, dtype=np.float32) + half
        y = np.arange(self.box.y0, self.box.y1, self.step, dtype=np.float32) + half
        return x, y

    def upsample(self, field: ComplexPoints) -> SourceMap:
        """Interpolate a field on the grid at every pixel of its box, ``[h, w]``."""
        width, pairs = self.box.size[0], as_pairs(field)
        band = len(pairs)
        # In bands of which each is too small for OpenCV's threads. Cubic interpolation needs two nodes around a band.
        if (most := ONE_THREAD_PIXELS // (width * self.step)) < band:
            band = max(1, most - 4)
        fine = []
        for first in range(0, len(pairs), band):
            before, part = min(first, 2), pairs[max(first - 2, 0) : first + band + 2]
            rows = cv2.resize(part, (width, len(part) * self.step), interpolation=cv2.INTER_CUBIC)
            fine.append(rows[before * self.step :][: band * self.step])
        whole = fine[0] if len(fine) == 1 else np.concatenate(fine)
        return whole.view(np.complex64)[..., 0]

    def support(self, field: ComplexPoints) -> Box:
        """Return the box outside of which a field on the grid moves nothing."""
        rows, columns = np.nonzero(np.abs(field) > 1e-3)
        if not len(rows):
            return Box(self.box.x0, self.box.y0, self.box.x0, self.box.y0)
        # Cubic interpolation reaches two nodes beyond the last one that moves.
        x0, y0 = self.box.x0 + int(columns.min() - 2) * self.step, self.box.y0 + int(rows.min() - 2) * self.step
        x1, y1 = self.box.x0 + int(columns.max() + 3) * self.step, self.box.y0 + int(rows.max() + 3) * self.step
        return Box(x0, y0, x1, y1).clip(self.box)


def _around(
    positions: npt.NDArray[np.floating[Any]], radius: float, step: int, count: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Return numbers of nodes around positions ``[N]`` from node 0 on an axis, and distances, both ``[N, count]``."""
    numbers = np.ceil((positions - radius) / step)[:, None] + np.arange(count)
    return numbers.astype(np.intp), (numbers * step - positions[:, None]).astype(np.float32)
