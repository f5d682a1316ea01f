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
    """The square of the source picture that the unit frame stands for: center ``x, y`` and ``side``, in pixels."""

    x: float
    y: float
    side: float


class Representation(Component):
    """Names and geometry of ``P`` points with ``D`` numbers each.

    Generators, syncers, discriminators, losses, metrics and renderers ask this object and never assume a count, a
    dimension or an index. Values are in pixels of the source picture (x right, y down) or, normalized, in the unit
    frame: `UnitSquare` maps its square onto 0..1. Head translation, scale and rotation are kept.
    """

    name: str
    points: int
    dims: int
    point_names: tuple[str, ...]
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
        """The resting pose ``[P, D]`` in the unit frame, used when the user gives no reference."""

    @abstractmethod
    def frame_of(self, values: Tensor) -> UnitSquare:
        """The frame of poses ``[..., P, D]`` in pixels: center of the points' box, side = 2 x its longer edge.

        Raises:
            MotionError: the points are not finite or all fall together.
        """

    @abstractmethod
    def normalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """Pixels ``[..., P, D]`` to the unit frame."""

    @abstractmethod
    def denormalize(self, values: Tensor, frame: UnitSquare) -> Tensor:
        """The unit frame ``[..., P, D]`` to pixels; inverse of `normalize`."""

    @abstractmethod
    def flip(self, values: Tensor) -> Tensor:
        """Mirror poses ``[..., P, D]`` of the unit frame left to right, points permuted by `mirror`."""

    @abstractmethod
    def to_points2d(self, values: Tensor) -> Tensor:
        """Image positions ``[..., P, 2]`` of poses ``[..., P, D]``, for any renderer and metric."""


@runtime_checkable
class SupportsDrawing(Protocol):
    """A representation that is drawn by more than its points: end sites of limbs, axes of Jacobians, feet of bars."""

    drawing_edges: tuple[tuple[int, int], ...]
    """Lines to draw between the places of `to_drawing2d`, in place of `Representation.edges`."""

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """Image positions ``[..., P + Q, 2]``: those of the points, then ``Q`` that only a drawing needs."""
