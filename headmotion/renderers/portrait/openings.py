"""The openings of a face - mouth and eyes: where they are and how far they are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...core.errors import SpecError
from ...core.interfaces.representation import Representation
from ...geometry.complex_points import Plane

MOUTH = "inner_lips"
SAMPLES = 25
"""Points of a curve from corner to corner."""


@dataclass(frozen=True)
class Shape:
    """An opening in one pose: its upper and lower edge as curves of `SAMPLES` points from corner to corner."""

    upper: Plane
    lower: Plane
    across: complex
    """Unit vector from corner to corner; ``across * 1j`` points down the face."""

    @property
    def middle(self) -> Plane:
        """The line half way between the edges."""
        line: Plane = (self.upper + self.lower) / 2
        return line

    @property
    def width(self) -> float:
        """Pixels from corner to corner."""
        return float(abs(self.upper[-1] - self.upper[0]))

    @property
    def gap(self) -> float:
        """Mean pixels between the edges."""
        return float(along(self.lower - self.upper, self.across * 1j).mean())

    @property
    def outline(self) -> Plane:
        """The closed outline."""
        return np.concatenate([self.upper, self.lower[::-1]])


@dataclass(frozen=True)
class Opening:
    """Which points bound an opening: two chains that share their ends, the corners."""

    name: str
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    through_upper: npt.NDArray[np.float64]
    """Matrix ``[SAMPLES, len(upper)]`` from the points to the curve through them; so for ``lower``."""
    through_lower: npt.NDArray[np.float64]

    def shape(self, pose: Plane) -> Shape:
        """The opening in a pose. Edges that cross are brought together half way."""
        axis = complex(pose[self.upper[-1]] - pose[self.upper[0]])
        across = axis / abs(axis) if axis else 1 + 0j
        upper = self.through_upper @ pose[list(self.upper)]
        lower = self.through_lower @ pose[list(self.lower)]
        down = across * 1j
        crossed = np.minimum(along(lower - upper, down), 0) * down / 2
        return Shape(upper + crossed, lower - crossed, across)


def find_openings(representation: Representation) -> list[Opening]:
    """The mouth, which must be there, and every other contour that the representation says can open.

    Raises:
        SpecError: there is no contour of the inner lips.
    """
    if MOUTH not in representation.contours:
        raise SpecError(
            "portrait",
            f"a face representation with the contour {MOUTH!r}",
            f"{representation.name} with contours {', '.join(representation.contours) or '(none)'}",
            "use the renderer 'skeleton'",
        )
    pose = as_plane(representation.to_points2d(representation.neutral()).numpy())
    up = upright(pose, representation)
    names = [MOUTH, *(name for name in representation.contours if name in representation.openings)]
    return [_split(name, representation.contours[name], pose, up * 1j) for name in dict.fromkeys(names)]


def upright(pose: Plane, representation: Representation) -> complex:
    """The way from the mouth up to eyes and nose."""
    mouth = list(representation.contours[MOUTH])
    return complex(pose[still_points(representation)].mean() - pose[mouth].mean())


def still_points(representation: Representation) -> list[int]:
    """Points that move with the skull: eye corners, nose, temples; all points if fewer than three can be told.

    They are those of no group that speech moves (lips, jaw, brows) and of no opening, and the ends of the jaw line
    beside the eyes.
    """
    groups = representation.groups
    jaw = groups.get("jaw", ())
    moving = {point for name in ("lips", "jaw", "brows") for point in groups.get(name, ())}
    moving |= {point for pairs in representation.openings.values() for pair in pairs for point in pair}
    still = [point for point in range(representation.points) if point not in moving]
    if len(still) < 3:
        return list(range(representation.points))
    pose = as_plane(representation.to_points2d(representation.neutral()).numpy())
    middle = pose[still].mean()
    up = complex(middle - pose[list(groups.get("lips", jaw))].mean()) if groups.get("lips", jaw) else -1j
    return still + [point for point in jaw if float(along(pose[point] - middle, up)) > 0]


def _split(name: str, contour: Sequence[int], pose: Plane, across: complex) -> Opening:
    places = pose[list(contour)]
    left, right = int(along(places, across).argmin()), int(along(places, across).argmax())
    turned = [*contour[left:], *contour[:left]]
    end = (right - left) % len(contour)
    chains = [tuple(turned[: end + 1]), (turned[0], *reversed(turned[end:]))]
    upper, lower = sorted(chains, key=lambda chain: float(along(pose[list(chain)], across * 1j).mean()))
    curves = [_curve_through(along(pose[list(chain)], across)) for chain in (upper, lower)]
    return Opening(name, upper, lower, *curves)


def _curve_through(knots: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Matrix ``[SAMPLES, n]`` of the cubic Hermite curve through n points with slopes of parabolas (Bessel)."""
    count = len(knots)
    spans = np.maximum(np.diff(knots), 1e-3 * (knots[-1] - knots[0]) + 1e-12)
    chords = np.diff(np.eye(count), axis=0) / spans[:, None]
    slopes = np.zeros((count, count))
    share = (spans[:-1] / (spans[:-1] + spans[1:]))[:, None]
    slopes[1:-1] = (1 - share) * chords[:-1] + share * chords[1:]
    slopes[0], slopes[-1] = (2 * chords[0] - slopes[1], 2 * chords[-1] - slopes[-2]) if count > 2 else chords[[0, -1]]
    ends = np.concatenate([[0.0], np.cumsum(spans)])
    t = np.linspace(0, ends[-1], SAMPLES)
    k = np.clip(np.searchsorted(ends, t, side="right") - 1, 0, count - 2)
    u, h = ((t - ends[k]) / spans[k])[:, None], spans[k][:, None]
    first, last = np.eye(count)[k], np.eye(count)[k + 1]
    blend_last = u * u * (3 - 2 * u)
    matrix: npt.NDArray[np.float64] = (
        first * (1 - blend_last)
        + last * blend_last
        + h * (u * (1 - u) ** 2 * slopes[k] - u * u * (1 - u) * slopes[k + 1])
    )
    return matrix


def as_plane(points: npt.ArrayLike) -> Plane:
    """Points ``[..., 2]`` as complex numbers."""
    values = np.asarray(points, dtype=np.float64)
    plane: Plane = values[..., 0] + 1j * values[..., 1]
    return plane


def along(places: Plane, direction: complex) -> npt.NDArray[np.float64]:
    """Component of vectors along a direction."""
    component: npt.NDArray[np.float64] = (places * np.conj(direction)).real
    return component
