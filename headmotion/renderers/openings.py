"""The openings of a face - mouth and eyes: where they are, how far they are open, and what is seen inside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..core.errors import SpecError
from ..core.renderer import Picture
from ..core.representation import Representation
from .warp import Plane, Similarity, smoothstep

MOUTH = "inner_lips"
SAMPLES = 25
SUBPIXELS = 4
WARM = (1.0, 1.5, 1.4)
"""Exponents by which red, green and blue darken inside the mouth."""

Mask = npt.NDArray[np.float32]
"""Coverage ``[h, w]``, 0..1."""


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

    def __bool__(self) -> bool:
        return self.x1 > self.x0 and self.y1 > self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the box in a picture."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.x1 - self.x0, self.y1 - self.y0


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
    up = complex(pose[still_points(representation)].mean() - pose[list(representation.contours[MOUTH])].mean())
    names = [MOUTH, *(name for name in representation.contours if name in representation.openings)]
    return [_split(name, representation.contours[name], pose, up * 1j) for name in dict.fromkeys(names)]


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
        first * (1 - blend_last) + last * blend_last + h * (u * (1 - u) ** 2 * slopes[k] - u * u * (1 - u) * slopes[k + 1])
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


def coverage(outline: Plane, box: Box) -> Mask:
    """How much of each pixel of ``box`` lies inside a closed outline."""
    return np.asarray(cv2.resize(fine_coverage(outline, box), box.size, interpolation=cv2.INTER_AREA), np.float32) / 255


def fine_coverage(outline: Plane, box: Box) -> npt.NDArray[np.uint8]:
    """0 or 255 at each of `SUBPIXELS` squared parts of every pixel."""
    width, height = box.size
    fine = np.zeros((height * SUBPIXELS, width * SUBPIXELS), np.uint8)
    corners = np.column_stack([outline.real - box.x0, outline.imag - box.y0])
    cv2.fillPoly(fine, [np.round(((corners + 0.5) * SUBPIXELS - 0.5) * 16).astype(np.int32)], 255, shift=4)
    return fine


def blend(below: npt.NDArray[Any], above: npt.NDArray[Any], mask: Mask) -> npt.NDArray[np.float32]:
    """``above`` over ``below`` where ``mask`` is 1."""
    base = below.astype(np.float32)
    mixed: npt.NDArray[np.float32] = base + (above.astype(np.float32) - base) * mask[..., None]
    return mixed


class Inside:
    """What is seen in an opening: the picture's own eye or teeth, which stay with the skull, and beyond them the dark.

    Lids and lips slide over it. A mouth that opens further than in the picture shows a cavity in a dark shade of the
    lips; an eye that does is stretched.
    """

    def __init__(self, opening: Opening, picture: Picture, pose: Plane, skull: list[int]) -> None:
        self.is_mouth = opening.name == MOUTH
        self.still = opening.shape(pose)
        apart = np.abs(pose[skull] - self.still.middle.mean()) / max(self.still.width, 1.0)
        self.nearness = np.exp(-(apart**2)) / np.exp(-(apart**2)).sum()
        self.soft = max(0.75, 0.02 * self.still.width)
        self.box = Box.around(self.still.outline, 0.35 * self.still.width + 4)
        # What lies just above the upper lip's edge counts as inside: the lip itself covers it.
        raised = np.concatenate([self.still.upper - 2 * self.soft * self.still.across * 1j, self.still.lower[::-1]])
        self.depth = _signed_distance(raised, self.box)
        self.tone = _lip_tone(picture, self.depth, self.box, self.still.width) if self.is_mouth else np.zeros(3)

    def paint(
        self, picture: Picture, shape: Shape, motion: Similarity, slips: Plane, box: Box
    ) -> npt.NDArray[np.float32]:
        """The inside over all of ``box``, ``[h, w, 3]``.

        Args:
            picture: the still picture.
            shape: the opening now.
            motion: that of the skull.
            slips: by how much each point of the skull departs from it, in pixels of the still picture.
            box: where to paint.
        """
        at_home = Shape(motion.power(-1)(shape.upper), motion.power(-1)(shape.lower), self.still.across)
        source = self._source(motion, at_home, complex(self.nearness @ slips), box)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(picture, source, box.size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        if not self.is_mouth:
            return seen.astype(np.float32)
        wider = float(smoothstep(np.float64((at_home.gap - self.still.gap) / (0.04 * self.still.width + 1e-6))))
        source[:, 2] -= (self.box.x0, self.box.y0)
        depth = cv2.warpAffine(
            self.depth, source, box.size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=-1e3
        )
        visible = smoothstep(depth / (2 * self.soft) + 1.75 - 1.75 * wider).astype(np.float32)
        return blend(self._cavity(shape, box), seen, visible)

    def seam(self, shape: Shape, box: Box) -> tuple[Mask, npt.NDArray[np.float64]]:
        """Strength and color of the line between lips that were apart in the picture and now meet."""
        apart = self.still.gap / max(self.still.width, 1.0)
        met = 1 - shape.gap / max(0.5 * self.still.gap, 1e-6)
        strength = 0.6 * float(smoothstep(np.float64(met)) * smoothstep(np.float64(apart / 0.08)))
        thin = 0.02 * shape.width * np.sin(np.linspace(0, np.pi, SAMPLES)) * shape.across * 1j
        line = np.concatenate([shape.middle - thin, (shape.middle + thin)[::-1]])
        return coverage(line, box) * np.float32(strength * self.is_mouth), self.tone * np.power(0.4, WARM)

    def _source(self, motion: Similarity, at_home: Shape, slip: complex, box: Box) -> npt.NDArray[np.float64]:
        """Affine map ``[2, 3]`` from pixels of ``box`` to the still picture."""
        down = self.still.across * 1j
        shift, stretch = -slip, 1.0
        if self.is_mouth:
            # Teeth follow the lip upwards, for no gap may show above them; when it comes down it covers them.
            shift += max(0.0, float(along(self.still.upper - at_home.upper - shift, down).mean())) * down
        elif at_home.gap > self.still.gap:
            stretch = self.still.gap / at_home.gap
        pivot = complex(self.still.lower.mean())

        def place(z: complex) -> complex:
            home = complex(motion.power(-1)(np.complex128(z + box.x0 + 1j * box.y0))) + shift
            return home + (stretch - 1) * float(along(np.complex128(home - pivot), down)) * down

        origin, x, y = place(0), place(1), place(1j)
        return np.array([[(x - origin).real, (y - origin).real, origin.real], [(x - origin).imag, (y - origin).imag, origin.imag]])

    def _cavity(self, shape: Shape, box: Box) -> npt.NDArray[np.float32]:
        """Dark within, turning into the shaded inner side of the lip towards the lower edge."""
        down = shape.across * 1j
        spread = max(0.5, 0.06 * shape.width)
        raised = np.concatenate([shape.upper - 4 * spread * down, shape.lower[::-1]])
        within = cv2.GaussianBlur(coverage(raised, box), (0, 0), spread, borderType=cv2.BORDER_REPLICATE)
        shade = 0.62 - 0.48 * smoothstep(2 * within - 1)[..., None]
        return (self.tone * shade**WARM).astype(np.float32)


def _signed_distance(outline: Plane, box: Box) -> Mask:
    """Pixels to the outline, positive inside."""
    inside = fine_coverage(outline, box) // 255
    if not inside.any():
        return np.full(box.size[::-1], -1e3, np.float32)
    measure = cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    distance = cv2.distanceTransform(inside, *measure) - cv2.distanceTransform(1 - inside, *measure)
    return np.asarray(cv2.resize(distance, box.size, interpolation=cv2.INTER_AREA), np.float32) / SUBPIXELS


def _lip_tone(picture: Picture, depth: Mask, box: Box, width: float) -> npt.NDArray[np.float64]:
    """Median color of a band around the mouth."""
    seen = box.clip(Box(0, 0, picture.shape[1], picture.shape[0]))
    near = depth[seen.y0 - box.y0 : seen.y1 - box.y0, seen.x0 - box.x0 : seen.x1 - box.x0]
    band = picture[seen.slices][(near < -0.5) & (near > -0.5 - max(2.0, 0.06 * width))]
    return np.median(band, axis=0) if len(band) else np.array([150.0, 90.0, 85.0])
