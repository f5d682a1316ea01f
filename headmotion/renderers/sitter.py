"""A still picture of a face, made to take on other poses."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..core.renderer import Picture
from ..core.representation import Representation
from .inside import Inside
from .masks import Box, blend, coverage
from .openings import MOUTH, Shape, along, find_openings, still_points
from .warp import Field, Lattice, Plane, Similarity, interpolate, smoothstep, trace_back

CENTER, HALF_HEIGHT, HALF_WIDTH = 0.85, 0.98, 0.85
"""Ellipse of the head with its hair: center above the chin and half axes, in units of the face from chin to brows."""
REACH = 2.0
"""Beyond the ellipse the motion fades, and ends at this multiple of its axes."""
WIDE = 1.2
RIDGE = 1.0
RADIUS = 0.5
"""Reach of a landmark's own motion, in units of the face."""


class Head:
    """The ellipse of a head with its hair, from the landmarks of the face: 1 inside, fading to 0 around it."""

    def __init__(self, pose: Plane, up: complex) -> None:
        self.up = up / abs(up)
        height, width = along(pose, self.up), along(pose, self.up * 1j)
        self.face = float(max(np.ptp(height), np.ptp(width)))
        middle = float(width.min() + width.max()) / 2
        self.center = self.up * (float(height.min()) + CENTER * self.face) + self.up * 1j * middle

    def weight(self, places: Plane) -> npt.NDArray[np.floating]:
        """0..1 at positions in the still picture."""
        apart = (places - np.complex64(self.center)) * np.complex64(np.conj(self.up) / self.face)
        radius = np.hypot(apart.real / np.float32(HALF_HEIGHT), apart.imag / np.float32(HALF_WIDTH))
        return smoothstep((REACH - radius) / (REACH - 1))


class Sitter:
    """The picture with all that is worked out once: head, openings, and the lattice of its surroundings."""

    def __init__(self, picture: Picture, pose: Plane, representation: Representation) -> None:
        self.picture, self.pose = picture, pose
        self.whole = Box(0, 0, picture.shape[1], picture.shape[0])
        self.still = still_points(representation)
        self.openings = find_openings(representation)
        self.insides = [Inside(opening, picture, pose, self.still) for opening in self.openings]
        mouth = list(representation.contours[MOUTH])
        self.head = Head(pose, complex(pose[self.still].mean() - pose[mouth].mean()))
        step = max(1, -(-max(self.whole.size) // 64))
        self.lattice = Lattice(0, 0, -(-self.whole.x1 // step), -(-self.whole.y1 // step), step)
        self.places = self.lattice.places()
        # Above a mouth or lid the lower edge must not pull, and below it the upper: two fields, one of each kind.
        inner = [(set(opening.upper[1:-1]), set(opening.lower[1:-1])) for opening in self.openings]
        every = range(len(pose))
        self.above = np.array([p for p in every if not any(p in lower for _, lower in inner)])
        self.below = np.array([p for p in every if not any(p in upper for upper, _ in inner)])

    def frame(self, pose: Plane) -> Picture:
        """The picture in another pose: complex positions of all points, in its pixels."""
        motion = Similarity.fit(self.pose[self.still], pose[self.still])
        shapes = [opening.shape(pose) for opening in self.openings]
        flow = trace_back(self.places, motion, self.head.weight) - self.places
        slips = motion.power(-1)(pose[self.still]) - self.pose[self.still]
        area, above, below = self._maps(pose, motion, flow, shapes)
        result = self.picture.copy()
        if area:
            result[area.slices] = self._look_up(above)
        for shape, inside in zip(shapes, self.insides, strict=True):
            self._draw(result, shape, inside, motion, slips, area, below)
        return result

    def _maps(self, pose: Plane, motion: Similarity, flow: Plane, shapes: list[Shape]) -> tuple[Box, Field, Field]:
        """The area that changes, and for each of its pixels the source as seen from above and below the openings."""
        near = self._near(pose)
        places = near.places()
        radius = RADIUS * self.head.face
        wanted = self.pose - trace_back(pose, motion, self.head.weight)
        nodes = np.arange(len(pose))
        (wide,) = interpolate(
            pose, wanted, np.concatenate([self.places.ravel(), pose]), WIDE * self.head.face, [nodes], RIDGE
        )
        flow = flow + wide[: -len(pose)].reshape(flow.shape)
        wanted = wanted - wide[-len(pose) :]
        above, below = interpolate(pose, wanted, places, radius, [self.above, self.below])
        window = np.max([_window(shape, places) for shape in shapes], axis=0)
        below = above + window * (below - above)
        patch = Box(near.x, near.y, near.x + near.columns * near.step, near.y + near.rows * near.step)
        area = self._moving(flow, patch)
        base = self.lattice.pixels(flow)[area.slices]
        base[..., 0] += np.arange(area.x0, area.x1, dtype=np.float32)
        base[..., 1] += np.arange(area.y0, area.y1, dtype=np.float32)[:, None]
        common = patch.clip(area)
        inner = common.within(area), common.within(patch)
        maps = []
        for field in (above, below):
            total = base.copy()
            total[inner[0]] += near.pixels(field)[inner[1]]
            maps.append(total)
        return area, maps[0], maps[1]

    def _near(self, pose: Plane) -> Lattice:
        """A finer lattice around the face, its nodes always at the same places."""
        step = max(1, round(self.head.face / 36))
        box = Box.around(pose, RADIUS * self.head.face + step).clip(
            Box(-step, -step, self.whole.x1 + step, self.whole.y1 + step)
        )
        x, y = box.x0 // step, box.y0 // step
        return Lattice(x * step, y * step, max(1, -(-box.x1 // step) - x), max(1, -(-box.y1 // step) - y), step)

    def _moving(self, flow: Plane, patch: Box) -> Box:
        rows, columns = np.nonzero(np.abs(flow) > 1e-3)
        box = patch
        if len(rows):
            step = self.lattice.step
            box = Box(
                min(patch.x0, (int(columns.min()) - 2) * step),
                min(patch.y0, (int(rows.min()) - 2) * step),
                max(patch.x1, (int(columns.max()) + 3) * step),
                max(patch.y1, (int(rows.max()) + 3) * step),
            )
        return box.clip(self.whole)

    def _look_up(self, source: Field) -> Picture:
        seen = cv2.remap(self.picture, source, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(seen, np.uint8)

    def _draw(
        self, result: Picture, shape: Shape, inside: Inside, motion: Similarity, slips: Plane, area: Box, below: Field
    ) -> None:
        """What lies below an opening's middle line, and over it what is seen between its edges."""
        box = Box.around(shape.outline, 0.8 * shape.width).clip(area)
        if not box:
            return
        line, far = shape.middle, shape.across * 2 * max(self.whole.size)
        under = np.concatenate(
            [[line[0] - far], line, [line[-1] + far, line[-1] + far * (1 + 1j), line[0] - far * (1 - 1j)]]
        )
        lower = self._look_up(below[box.within(area)])
        drawn = blend(result[box.slices], lower, coverage(under, box))
        close = Box.around(shape.outline, 2).clip(area)
        if close and shape.gap > 0:
            mask = coverage(shape.outline, close) * np.float32(min(1.0, shape.gap))
            there = close.within(box)
            drawn[there] = blend(drawn[there], inside.paint(self.picture, shape, motion, slips, close), mask)
        if close:
            mask, color = inside.seam(shape, close)
            there = close.within(box)
            drawn[there] = blend(drawn[there], color, mask)
        result[box.slices] = np.clip(np.rint(drawn), 0, 255).astype(np.uint8)


def _window(shape: Shape, places: Plane) -> npt.NDArray[np.floating]:
    """1 around an opening, 0 from three quarters of its width on."""
    half = max(shape.width / 2, 1.0)
    radius = np.abs(places - np.complex64(shape.middle.mean())) / np.float32(half)
    return smoothstep((1.5 - radius) / 0.5)


def _within(part: Box, whole: Box) -> tuple[slice, slice]:
    """Index of ``part`` in an array that covers ``whole``."""
    return slice(part.y0 - whole.y0, part.y1 - whole.y0), slice(part.x0 - whole.x0, part.x1 - whole.x0)
