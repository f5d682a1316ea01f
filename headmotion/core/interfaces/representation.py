"""Representation: what the numbers of a motion mean."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from torch import Tensor

from ..component import Component
from ..errors import MotionError


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
    """Names and geometry of ``P`` points with ``D`` numbers each. A point may be any named row of numbers.

    Generators, syncers, discriminators, losses, metrics and renderers read this object and never assume a count, a
    dimension or an index. Values are in pixels of the source picture (x right, y down) or, normalized, in the unit
    frame, in which the `UnitSquare` is 0..1. Head translation, scale and rotation are kept.

    Further abilities are declared by having the members of a protocol: `SupportsPoints2D` for points that have a place
    in the picture, `SupportsDrawing`, `SupportsFitting`. Reading a member of `SupportsPoints2D` that a representation
    does not have is a `MotionError` of one line.
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
    mirror: tuple[int, ...]
    """Permutation that swaps left and right: point ``i`` of a mirrored pose is point ``mirror[i]`` of the original."""
    if TYPE_CHECKING:  # so that parts may use them; at run time `__getattr__` answers for a representation without them
        contours: Mapping[str, tuple[int, ...]]
        openings: Mapping[str, tuple[tuple[int, int], ...]]
        scale_pair: tuple[int, int]
        edges: tuple[tuple[int, int], ...]

        def to_points2d(self, values: Tensor) -> Tensor:
            """See `SupportsPoints2D.to_points2d`."""
            ...

    @abstractmethod
    def neutral(self) -> Tensor:
        """Return the resting pose ``[P, D]`` in the unit frame, which is used when the user gives no reference."""

    @abstractmethod
    def frame_of(self, values: Tensor) -> UnitSquare:
        """Fit the square to poses ``[..., P, D]`` in pixels: center of the points' box, side = 2 x its longer edge.

        Numbers that have no place in the picture give ``UnitSquare(0.5, 0.5, 1)``.

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

    def __getattr__(self, name: str) -> Any:
        if name in _POINTS2D_MEMBERS:
            raise MissingPoints2D(self.spec.type_name(), name)
        return super().__getattr__(name)


@runtime_checkable
class SupportsPoints2D(Protocol):
    """A representation whose points have a place in the picture: what most renderers and many metrics need."""

    contours: Mapping[str, tuple[int, ...]]
    """Closed outlines, in drawing order: ``inner_lips``, ``outer_lips``, ``left_eye`` ...; may be empty."""
    openings: Mapping[str, tuple[tuple[int, int], ...]]
    """Pairs of points, upper and lower, whose distance opens and closes something: ``mouth``, ``left_eye`` ..."""
    scale_pair: tuple[int, int]
    """Two points whose distance is a stable measure of size (outer eye corners, shoulders)."""
    edges: tuple[tuple[int, int], ...]
    """Lines to draw between points."""

    def to_points2d(self, values: Tensor) -> Tensor:
        """Return image positions ``[..., P, 2]`` of poses ``[..., P, D]``, for any renderer and metric."""
        ...


_POINTS2D_MEMBERS = ("contours", "openings", "scale_pair", "edges", "to_points2d")


class MissingPoints2D(MotionError, AttributeError):
    """A part needs points in the picture, and the representation has none.

    It is an `AttributeError` too, so that ``isinstance(representation, SupportsPoints2D)`` is false.
    """

    def __init__(self, type_name: str, member: str, component: str = "") -> None:
        self.type_name, self.member = type_name, member
        expected = f"points in the picture (SupportsPoints2D: {member})"
        remedy = f"convert the motion, or take a part that works with {type_name}"
        super().__init__(component or f"representation {type_name}", expected, f"{type_name}, which has none", remedy)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.type_name, self.member, self.component)


def require_points2d(representation: Representation, component: str) -> None:
    """Refuse a representation without points in the picture.

    Args:
        representation: the representation.
        component: the part that needs them, such as ``renderer skeleton``.

    Raises:
        MissingPoints2D: it does not declare `SupportsPoints2D`.
    """
    if not hasattr(representation, "to_points2d"):
        raise MissingPoints2D(representation.spec.type_name(), "to_points2d", component)


@runtime_checkable
class SupportsMouth(Protocol):
    """A representation whose mouth is not drawn by points, and that knows itself how far it is open.

    Points with the opening ``mouth``, the contour ``inner_lips`` and the group ``lips`` need it not.
    """

    def mouth_opening(self, pose: Tensor) -> float:
        """Return how far the mouth of a pose ``[P, D]`` is open, in widths of it."""
        ...

    def close_mouth(self, pose: Tensor) -> Tensor:
        """Return a pose ``[P, D]`` with its lips together."""
        ...


def has_place(representation: Representation) -> bool:
    """Return whether poses say where in the picture somebody is, as points do and blend shapes do not."""
    # By contract numbers without a place have this square, whatever they are; that of points doubles with them.
    return representation.frame_of(2 * representation.neutral()) != UnitSquare(0.5, 0.5, 1.0)


@runtime_checkable
class SupportsFitting(Protocol):
    """A representation whose meaning is fitted to data, such as the basis of a PCA.

    Other parts may declare it as well, such as a generator with statistics of its own: a phase `fit` fits them.

    What is fitted are registered buffers, whose shapes the spec determines, so that it is in the checkpoint of a
    pipeline. Parts call the representation's methods on any device: move buffers to that of the values. Methods that
    need the basis raise `unfitted` before it is there.
    """

    fit_source: str
    """Type of the representation of the motions that `fit` takes, such as ``landmarks68``."""
    fitted: bool
    """Whether the basis is there: fitted, or loaded from a checkpoint or a motion file."""

    def fit(self, motions: Iterable[Tensor]) -> None:
        """Fit the basis and set the buffers.

        Args:
            motions: one motion ``[t, P, D]`` of `fit_source` per clip, in the unit frame. They are read once, so that a
                corpus of any size can be fitted; do not collect them.
        """
        ...


def unfitted(representation: Representation) -> MotionError:
    """Return the error for a representation that is used before it is fitted."""
    remedy = (
        "fit it in a training phase of the type fit, or take the representation of a pipeline that was trained with it"
    )
    return MotionError(f"representation {representation.spec.type_name()}", "a fitted basis", "none yet", remedy)


def require_fitted(representation: Representation) -> None:
    """Refuse a representation that needs to be fitted and is not.

    Raises:
        MotionError: see `unfitted`.
    """
    if isinstance(representation, SupportsFitting) and not representation.fitted:
        raise unfitted(representation)


@runtime_checkable
class SupportsDrawing(Protocol):
    """A representation whose drawing has more than its points: end sites of limbs, axes of Jacobians, feet of bars."""

    drawing_edges: tuple[tuple[int, int], ...]
    """Lines to draw between the positions of `to_drawing2d`, in place of `Representation.edges`."""

    def to_drawing2d(self, values: Tensor) -> Tensor:
        """Return image positions ``[..., P + Q, 2]``: those of the points, then ``Q`` that only a drawing needs."""
