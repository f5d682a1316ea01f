"""Representation: what the numbers of a motion mean."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from ..component import Component


@dataclass(frozen=True)
class UnitSquare:
    """The square of the source picture that the unit frame covers: center ``x, y`` and ``side``, in pixels."""

    x: float
    """Center, in pixels from the left."""
    y: float
    """Center, in pixels from the top."""
    side: float
    """Length of a side in pixels, above 0."""


class Representation(Component):
    """Names and geometry of ``P`` points with ``D`` numbers each.

    Generators, syncers, discriminators, losses, metrics and renderers read this object and never assume a count, a
    dimension or an index. Values are in pixels of the source picture (x right, y down) or, normalized, in the unit
    frame, in which the `UnitSquare` is 0..1. Head translation, scale and rotation are kept.
    """

    name: str
    """Type name, such as ``landmarks68``."""
    points: int
    """Number of points, ``P``."""
    dims: int
    """Numbers per point, ``D``."""
    point_names: tuple[str, ...]
    """One name per point."""
    groups: Mapping[str, tuple[int, ...]]
    """Named sets of points: ``lips``, ``jaw``, ``eyes``, ``brows``, ``nose``, or limbs."""
    contours: Mapping[str, tuple[int, ...]]
    """Closed outlines, in drawing order: ``inner_lips``, ``outer_lips``, ``left_eye`` ...; may be empty."""
    openings: Mapping[str, tuple[tuple[int, int], ...]]
    """Pairs of points, upper and lower, whose distance opens and closes something: ``mouth``, ``left_eye`` ..."""
    scale_pair: tuple[int, int]
    """Two points whose distance is a stable measure of size (outer eye corners, shoulders)."""
    edges: tuple[tuple[int, int], ...]
    """Lines to draw between points."""
    mirror: tuple[int, ...]
    """Permutation that swaps left and right: point ``i`` of a mirrored pose is point ``mirror[i]`` of the original."""

    @abstractmethod
    def neutral(self) -> Tensor:
        """Return the resting pose ``[P, D]`` in the unit frame, which is used when the user gives no reference."""

    @abstractmethod
    def frame_of(self, values: Tensor) -> UnitSquare:
        """Fit the square to poses ``[..., P, D]`` in pixels: center of the points' box, side = 2 x its longer edge.

        Raises:
            MotionError: the points are not finite, or all lie in one place.
        """

    @abstractmethod
    def normalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Map pixels ``[..., P, D]`` to the unit frame."""

    @abstractmethod
    def denormalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Map the unit frame ``[..., P, D]`` to pixels; the inverse of `normalize`."""

    @abstractmethod
    def flip(self, values: Tensor) -> Tensor:
        """Mirror poses ``[..., P, D]`` of the unit frame left to right and permute their points by `mirror`."""

    @abstractmethod
    def to_points2d(self, values: Tensor) -> Tensor:
        """Return image positions ``[..., P, 2]`` of poses ``[..., P, D]``, for any renderer and metric."""


@runtime_checkable
class SupportsDrawing(Protocol):
    """A representation whose drawing has more than its points: end sites of limbs, axes of Jacobians, feet of bars."""

    drawing_edges: tuple[tuple[int, int], ...]
    """Lines to draw between the positions of `to_drawing2d`, in place of `Representation.edges`."""

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """Return image positions ``[..., P + Q, 2]``: those of the points, then ``Q`` that only a drawing needs."""
