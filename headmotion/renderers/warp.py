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

Plane = npt.NDArray[np.complexfloating[Any, Any]]
"""Complex positions or displacements, any shape."""
Field = npt.NDArray[np.float32]
"""Displacements ``[H, W, 2]`` in pixels, x and y."""


@dataclass(frozen=True)
class Similarity:
    """Rotation, scale and shift: ``z -> turn * z + shift``."""

    turn: complex
    shift: complex

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
        """Least squares over point pairs (Umeyama 1991, in the plane, without reflection)."""
        from_mean, to_mean = source.mean(), target.mean()
        spread = float((np.abs(source - from_mean) ** 2).sum())
        turn = complex((np.conj(source - from_mean) * (target - to_mean)).sum()) / spread if spread > 0 else 1 + 0j
        turn = turn if turn != 0 else 1e-6 + 0j
        return Similarity(turn, complex(to_mean - turn * from_mean))


def trace_back(
    places: Plane,
    motion: Similarity,
    weight: Callable[[Plane], npt.NDArray[np.floating[Any]]],
    steps: int = 8,
) -> Plane:
    """Where ``places`` came from, if the plane flows with ``motion`` as far as ``weight`` lets it.

    The flow is followed in small steps, each much smaller than the width over which the weight falls, so the map
    neither folds nor tears; where the weight is 1 all along the way it is exactly the inverse motion.

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
    among = _wendland(nodes[:, None] - nodes[None, :], radius)
    basis = _wendland(places.reshape(-1, 1) - nodes[None, :], radius)
    fields = []
    for kept in subsets:
        weights = np.zeros((len(nodes), 2), np.float32)
        target = np.column_stack([values[kept].real, values[kept].imag]).astype(np.float64)
        inner = among[np.ix_(kept, kept)].astype(np.float64) + ridge * np.eye(len(kept))
        weights[kept] = np.linalg.solve(inner, target)
        flat = basis @ weights
        fields.append((flat[:, 0] + 1j * flat[:, 1]).reshape(places.shape))
    return fields


def _wendland(apart: Plane, radius: float) -> npt.NDArray[np.float32]:
    r = np.minimum(np.abs(apart).astype(np.float32) / np.float32(radius), 1)
    rest = 1 - r
    rest *= rest
    rest *= rest
    return rest * (4 * r + 1)


@dataclass(frozen=True)
class Lattice:
    """A coarse grid over a box of the picture: ``step`` pixels from node to node, nodes in the middle of cells."""

    x: int
    y: int
    columns: int
    rows: int
    step: int

    def places(self) -> Plane:
        """Positions ``[rows, columns]``."""
        x = self.x + (np.arange(self.columns, dtype=np.float32) + 0.5) * self.step - 0.5
        y = self.y + (np.arange(self.rows, dtype=np.float32) + 0.5) * self.step - 0.5
        return (x[None, :] + 1j * y[:, None]).astype(np.complex64)

    def pixels(self, field: Plane) -> Field:
        """A field on the lattice at every pixel of the box, ``[rows * step, columns * step, 2]``."""
        size = (self.columns * self.step, self.rows * self.step)
        pair = np.ascontiguousarray(field.astype(np.complex64)).view(np.float32).reshape(*field.shape, 2)
        return np.asarray(cv2.resize(pair, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def smoothstep(value: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """0 up to 0, 1 from 1 on, smooth between."""
    t = np.clip(value, 0, 1)
    result: npt.NDArray[np.floating[Any]] = t * t * (3 - 2 * t)
    return result
