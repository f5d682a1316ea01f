"""A still picture of a face, made to take on other poses."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ...core.interfaces.renderer import Picture
from ...core.interfaces.representation import Representation
from ...geometry.complex_points import Plane
from ...geometry.smoothstep import smoothstep
from .eye import Eye, open_lids
from .head_ellipse import Head
from .masks import Mask, blend, coverage
from .mouth import Mouth
from .opening_layer import Colors, Inside, Skull
from .openings import MOUTH, Opening, Shape, find_openings, upright
from .parallax import Turning
from .warp import Box, Field, Lattice, Similarity, Weights, interpolate

WIDE, NEAR = 0.8, 0.25
"""Reach of a landmark's own motion, in units of the face: first smoothly, with the hair around it, then exactly."""
CALM = 5.0
"""Ridge of the smooth part: how little one landmark alone moves the hair."""
NO_MAP = np.empty(0, np.float32)
"""``cv2.remap`` takes both coordinates from its first map when the second is empty."""


class Sitter:
    """The picture with all that is worked out once: head, openings, and the lattice of its surroundings.

    A frame is put together from three looks at the picture: the face as it moves above each opening, the face as it
    moves below it, and what is seen inside, which is taken to be opaque.

    Args:
        picture: the still picture ``[H, W, 3]``, or ``[H, W, 4]`` with sensible colors where it is transparent.
        pose: complex positions ``[P]`` of the landmarks in it.
        representation: what the landmarks mean.
    """

    def __init__(self, picture: Picture, pose: Plane, representation: Representation) -> None:
        self.picture, self.pose = picture, pose
        self.colors = np.ascontiguousarray(picture[..., :3])
        self.whole = Box(0, 0, picture.shape[1], picture.shape[0])
        self.head = Head(pose, upright(pose, representation))
        self.turning = Turning(pose, self.head, representation)
        self.still = self.turning.still
        self.openings = find_openings(representation)
        self.insides = [self._inside(opening) for opening in self.openings]
        self.lattice = Lattice.over(self.whole, max(1, -(-max(self.whole.size) // 64)))
        self.places = self.lattice.places()
        # Above a mouth or an eye the lower edge must not pull, and below it the upper.
        self.above = self._all_but({point for opening in self.openings for point in opening.lower[1:-1]})
        self.below = self._all_but({point for opening in self.openings for point in opening.upper[1:-1]})

    def frame(self, pose: Plane) -> Picture:
        """The picture in another pose: complex positions ``[P]`` in its pixels."""
        motion = Similarity.fit(self.pose[self.still], pose[self.still])
        shapes = [opening.shape(pose) for opening in self.openings]
        area, above, below = self._sources(self._visible(pose), shapes)
        result = self.picture.copy()
        if area:
            result[area.slices] = self._look_up(above)
        skull = Skull(motion, motion.power(-1)(pose[self.still]) - self.pose[self.still])
        for shape, inside in zip(shapes, self.insides, strict=True):
            self._draw_below(result, shape, area, below)
            box = inside.around(shape).clip(self.whole)
            for colors, mask in inside.layers(self.colors, shape, skull, box) if box else ():
                _lay(result, colors, mask, box)
        return result

    def _inside(self, opening: Opening) -> Inside:
        kind = Mouth if opening.name == MOUTH else Eye
        return kind(opening.shape(self.pose), self.pose[self.still], self.colors)

    def _visible(self, pose: Plane) -> Plane:
        """The pose to which pixels are moved: what would slide under others is drawn otherwise, or not at all."""
        for opening in self.openings:
            if opening.name != MOUTH:
                pose = open_lids(opening, self.pose, pose)
        return self.turning.unfolded(pose)

    def _all_but(self, left_out: set[int]) -> npt.NDArray[np.intp]:
        return np.array([point for point in range(len(self.pose)) if point not in left_out], dtype=np.intp)

    def _sources(self, pose: Plane, shapes: list[Shape]) -> tuple[Box, Field, Field]:
        """The area that changes, and for each of its pixels the source as seen from above and below the openings."""
        flow, wanted = self._flow(pose)
        near = Lattice.over(
            Box.around(pose, NEAR * self.head.face).clip(self.whole), max(1, round(self.head.face / 36))
        )
        places = near.places()
        fields = interpolate(pose, wanted, places, NEAR * self.head.face, [self.above, self.below])
        window = np.max([_window(shape, places) for shape in shapes], axis=0)
        above, below = fields[0], fields[0] + window * (fields[1] - fields[0])
        area = self.lattice.support(flow).union(near.box).clip(self.whole)
        base = self.lattice.pixels(flow)[area.slices]
        base[..., 0] += np.arange(area.x0, area.x1, dtype=np.float32)
        base[..., 1] += np.arange(area.y0, area.y1, dtype=np.float32)[:, None]
        shared = near.box.clip(area)
        maps = [base, base.copy()]
        for total, field in zip(maps, (above, below), strict=True):
            total[shared.within(area)] += near.pixels(field)[shared.within(near.box)]
        return area, maps[0], maps[1]

    def _flow(self, pose: Plane) -> tuple[Plane, Plane]:
        """Smooth displacements of the whole picture, and what the landmarks want beyond them."""
        everywhere = np.concatenate([self.places.ravel(), pose.astype(np.complex64)])
        home = self.turning.to(pose).back(everywhere)
        wanted = self.pose - home[-len(pose) :]
        every = self._all_but(set())
        (smooth,) = interpolate(pose, wanted, everywhere, WIDE * self.head.face, [every], ridge=CALM)
        flow = (home - everywhere + smooth)[: -len(pose)]
        return flow.reshape(self.places.shape), wanted - smooth[-len(pose) :]

    def _look_up(self, source: Field) -> Picture:
        seen = cv2.remap(self.picture, source, NO_MAP, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(seen, np.uint8)

    def _draw_below(self, result: Picture, shape: Shape, area: Box, below: Field) -> None:
        """The face below an opening's middle line."""
        box = Box.around(shape.outline, 0.8 * shape.width).clip(area)
        if not box:
            return
        line, far = shape.middle, shape.across * 2 * max(self.whole.size)
        deep = [line[-1] + far, line[-1] + far * (1 + 1j), line[0] - far * (1 - 1j), line[0] - far]
        seen = self._look_up(below[box.within(area)])
        _lay(result, seen, coverage(np.concatenate([line, deep]), box), box)


def _lay(result: Picture, above: Colors | Picture, mask: Mask, box: Box) -> None:
    part = result[box.slices][..., : above.shape[-1]]
    part[...] = np.clip(np.rint(blend(part, above, mask)), 0, 255).astype(np.uint8)


def _window(shape: Shape, places: Plane) -> Weights:
    """1 around an opening, 0 from three quarters of its width on."""
    half = max(shape.width / 2, 1.0)
    radius = np.abs(places - np.complex64(shape.middle.mean())) / np.float32(half)
    faded: Weights = smoothstep((1.5 - radius) / 0.5)
    return faded
