"""Displacements that are known at landmarks, interpolated on a coarse grid around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...geometry.complex_points import ComplexPoints
from .box import Box, SourceMap
from .opencv_maps import as_pairs

ONE_THREAD_PIXELS = 3 * 2**15 - 1
"""Most pixels that OpenCV resizes in one thread."""


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
