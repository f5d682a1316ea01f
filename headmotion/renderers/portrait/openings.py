"""The openings of a face, mouth and eyes: their outlines in a pose, and how far they are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ...core.default_model import DEFAULT_MODEL
from ...core.errors import SpecError
from ...core.interfaces.representation import Representation
from ...geometry.complex_points import ComplexPoints, as_complex

MOUTH = "inner_lips"
SAMPLES = 25
"""Points of a curve from corner to corner."""


@dataclass(frozen=True)
class OpeningShape:
    """An opening in one pose: its upper and lower edge as curves of `SAMPLES` points from corner to corner."""

    upper: ComplexPoints
    lower: ComplexPoints
    across: complex
    """Unit vector from corner to corner; ``across * 1j`` points down the face."""

    @cached_property
    def middle(self) -> ComplexPoints:
        """Curve half way between the edges."""
        curve: ComplexPoints = (self.upper + self.lower) / 2
        return curve

    @cached_property
    def width(self) -> float:
        """Distance of the corners (px)."""
        return float(abs(self.upper[-1] - self.upper[0]))

    @cached_property
    def gap(self) -> float:
        """Mean distance of the edges (px)."""
        return float(component(self.lower - self.upper, self.across * 1j).mean())

    @cached_property
    def outline(self) -> ComplexPoints:
        """The closed outline."""
        return np.concatenate([self.upper, self.lower[::-1]])


@dataclass(frozen=True)
class Opening:
    """The points that bound an opening: two chains that share their ends, the corners."""

    name: str
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    upper_curve: npt.NDArray[np.float64]
    """Matrix ``[SAMPLES, len(upper)]`` from the points to the curve through them."""
    lower_curve: npt.NDArray[np.float64]
    """The same for the lower chain."""

    def across(self, pose: ComplexPoints) -> complex:
        """Return the unit vector from corner to corner in a pose."""
        axis = complex(pose[self.upper[-1]] - pose[self.upper[0]])
        return axis / abs(axis) if axis else 1 + 0j

    def shape(self, pose: ComplexPoints) -> OpeningShape:
        """Return the opening in a pose. Edges that cross are brought together half way."""
        across = self.across(pose)
        upper = self.upper_curve @ pose[list(self.upper)]
        lower = self.lower_curve @ pose[list(self.lower)]
        down = across * 1j
        # Detected lips and lids may cross by a pixel or two; an outline that crosses itself has no inside.
        overlap = np.minimum(component(lower - upper, down), 0) * down / 2
        return OpeningShape(upper + overlap, lower - overlap, across)


def find_openings(representation: Representation) -> list[Opening]:
    """Return the mouth, which every face must have, and all other contours that the representation says can open.

    Raises:
        SpecError: there is no contour of the inner lips.
    """
    if MOUTH not in representation.contours:
        raise SpecError(
            "portrait",
            f"a face representation with the contour {MOUTH!r}",
            f"{representation.name} with contours {', '.join(representation.contours) or '(none)'}",
            f"use a model of landmarks, such as {DEFAULT_MODEL!r}, to move a picture, or the renderer 'skeleton'",
        )
    pose = as_complex(representation.to_points2d(representation.neutral()).numpy())
    across = up_direction(pose, representation) * 1j
    names = [MOUTH, *(name for name in representation.contours if name in representation.openings)]
    return [_split_contour(name, representation.contours[name], pose, across) for name in dict.fromkeys(names)]


def up_direction(pose: ComplexPoints, representation: Representation) -> complex:
    """Return the vector from the mouth up to eyes and nose."""
    mouth = list(representation.contours[MOUTH])
    return complex(pose[rigid_points(representation)].mean() - pose[mouth].mean())


def rigid_points(representation: Representation) -> list[int]:
    """Return the points that move with the skull: eye corners, nose, temples; all points if these are fewer than three.

    They are those of no group that speech moves (lips, jaw, brows) and of no opening, and the ends of the jaw line
    beside the eyes.
    """
    groups = representation.groups
    jaw = groups.get("jaw", ())
    soft = {point for name in ("lips", "jaw", "brows") for point in groups.get(name, ())}
    soft |= {point for pairs in representation.openings.values() for pair in pairs for point in pair}
    rigid = [point for point in range(representation.points) if point not in soft]
    if len(rigid) < 3:
        return list(range(representation.points))
    pose = as_complex(representation.to_points2d(representation.neutral()).numpy())
    middle = pose[rigid].mean()
    lips = groups.get("lips", jaw)
    up = complex(middle - pose[list(lips)].mean()) if lips else -1j
    return rigid + [point for point in jaw if float(component(pose[point] - middle, up)) > 0]


def component(vectors: ComplexPoints, direction: complex) -> npt.NDArray[np.float64]:
    """Return the component of vectors along a direction, times the length of the direction."""
    result: npt.NDArray[np.float64] = (vectors * np.conj(direction)).real
    return result


def _split_contour(name: str, contour: Sequence[int], pose: ComplexPoints, across: complex) -> Opening:
    """Split a contour at its corners into an upper and a lower chain."""
    position = component(pose[list(contour)], across)
    left, right = int(position.argmin()), int(position.argmax())
    from_left = [*contour[left:], *contour[:left]]
    end = (right - left) % len(contour)
    chains = [tuple(from_left[: end + 1]), (from_left[0], *reversed(from_left[end:]))]
    upper, lower = sorted(chains, key=lambda chain: float(component(pose[list(chain)], across * 1j).mean()))
    curves = [_curve_matrix(component(pose[list(chain)], across)) for chain in (upper, lower)]
    return Opening(name, upper, lower, *curves)


def _curve_matrix(knots: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the matrix ``[SAMPLES, n]`` of the cubic Hermite curve through n points.

    Slopes are those of parabolas (Bessel). The curve is linear in its points, so the matrix is computed once, for knots
    ``[n]`` of the neutral pose.
    """
    count = len(knots)
    # Knots that coincide would divide by zero.
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
