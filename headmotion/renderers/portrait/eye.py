"""The eye behind its lids."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from ...core.interfaces.renderer import Picture
from ...geometry.complex_points import Plane
from ...geometry.smoothstep import smoothstep
from .masks import Mask, blend, coverage
from .opening_layer import Colors, Inside, Skull, affine, between, look_up
from .openings import SAMPLES, Opening, Shape, along
from .warp import Box, Similarity

ABOVE, BELOW = 0.14, 0.06
"""Height of lashes and shadow above and below an eye, in widths of the eye."""
LINE = 0.07
"""Thickness of the line of lashes, in widths of the eye."""
SKIN_PIXELS = 48
"""Width of the eye, in pixels, at which the skin of the lids is worked out; it is smooth."""


class Eye(Inside):
    """The eye of the picture, covered by its lids; stretched where they open further than in the picture.

    The skin of lids that close is not in the picture. To pull the skin above an eye down over it would pull brows and
    glasses along, so the warp leaves such lids where they are (see `open_lids`), and they are painted: as if there
    were skin for an eye.
    """

    def __init__(self, still: Shape, skull: Plane, picture: Picture) -> None:
        super().__init__(still, skull)
        self.box = Box.around(still.outline, still.width + 4).clip(Box(0, 0, picture.shape[1], picture.shape[0]))
        self.scale = min(1.0, SKIN_PIXELS / max(still.width, 1.0))
        self.skin = _without_eye(picture, still, self.box, self.scale)
        self.lashes = _lash_color(picture, still)

    def around(self, shape: Shape) -> Box:
        """The opening as it is and as it was, with the lashes."""
        still = _corners_to(self.still, shape)(self.still.outline)
        return Box.around(np.concatenate([shape.outline, still]), 2 + 2 * ABOVE * shape.width)

    def layers(self, picture: Picture, shape: Shape, skull: Skull, box: Box) -> Iterator[tuple[Colors, Mask]]:
        """The lids as far as they have closed, the eye between them, and the lashes of the upper one."""
        stay, down = _corners_to(self.still, shape), shape.across * 1j
        upper, lower = stay(self.still.upper), stay(self.still.lower)
        drop = np.maximum(along(shape.upper - upper, down), 0)
        rise = np.maximum(along(lower - shape.lower, down), 0)
        closing = float(smoothstep((drop + rise).mean() / max(0.4 * self.still.gap, 0.5)))
        if closing > 0:
            round_off = closing * shape.width * np.sin(np.linspace(0, np.pi, SAMPLES)) ** 0.5 * down
            lids = [(upper - ABOVE * round_off, upper + drop * down), (lower - rise * down, lower + BELOW * round_off)]
            covered = np.maximum.reduce([coverage(np.concatenate([a, b[::-1]]), box) for a, b in lids])
            yield self._skin(stay, box), np.maximum(covered, _softened(covered, 0.02 * shape.width))
        yield self._eye(picture, shape, skull, box), between(shape, box)
        if closing > 0:
            half = LINE / 2 * round_off
            line = np.concatenate([shape.upper - half, (shape.upper + half)[::-1]])
            yield self.lashes, _softened(coverage(line, box), 0.025 * shape.width) * np.float32(0.9 * closing)

    def _eye(self, picture: Picture, shape: Shape, skull: Skull, box: Box) -> Colors:
        home, down = skull.home(shape), self.still.across * 1j
        squeeze = min(1.0, self.still.gap / home.gap) if home.gap > 0 else 1.0
        back, slip, pivot = skull.motion.power(-1), self.slip(skull), complex(self.still.lower.mean())

        def source(z: complex) -> complex:
            place = back.at(z) - slip
            return place + (squeeze - 1) * ((place - pivot) * down.conjugate()).real * down

        return look_up(picture, affine(source, box), box)

    def _skin(self, stay: Similarity, box: Box) -> Colors:
        back, corner = stay.power(-1), complex(self.box.x0 - 0.5, self.box.y0 - 0.5)
        half = complex(0.5, 0.5)
        return look_up(self.skin, affine(lambda z: (back.at(z) - corner) * self.scale - half, box), box)


def open_lids(opening: Opening, still: Plane, pose: Plane) -> Plane:
    """A pose with the lids no further closed than in the still picture; the corners of the eye are where they are."""
    corners = [opening.upper[0], opening.upper[-1]]
    stay = Similarity.fit(still[corners], pose[corners])
    down = stay.turn / abs(stay.turn) * opening.shape(still).across * 1j
    opened = pose.copy()
    for chain, outward in ((list(opening.upper[1:-1]), -down), (list(opening.lower[1:-1]), down)):
        rest = stay(still[chain])
        opened[chain] = rest + np.maximum(along(pose[chain] - rest, outward), 0) * outward
    return opened


def _softened(mask: Mask, pixels: float) -> Mask:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.4, pixels)), np.float32)


def _corners_to(still: Shape, shape: Shape) -> Similarity:
    return Similarity.fit(still.upper[[0, -1]], shape.upper[[0, -1]])


def _without_eye(picture: Picture, still: Shape, box: Box, scale: float) -> Picture:
    """The surroundings of an eye, reduced, with skin where it is."""
    if not box:
        return np.zeros((1, 1, 3), np.uint8)
    size = max(1, round(box.size[0] * scale)), max(1, round(box.size[1] * scale))
    small = np.asarray(cv2.resize(picture[box.slices], size, interpolation=cv2.INTER_AREA), np.uint8)
    round_off = still.width * np.sin(np.linspace(0, np.pi, SAMPLES)) ** 0.5 * still.across * 1j
    outline = np.concatenate([still.upper - ABOVE * round_off, (still.lower + BELOW * round_off)[::-1]])
    corner = complex(box.x0 - 0.5, box.y0 - 0.5)
    hole = coverage((outline - corner) * scale - complex(0.5, 0.5), Box(0, 0, *size))
    hidden = np.asarray(cv2.dilate(hole, np.ones((3, 3), np.uint8)), np.float32)
    skin = np.asarray(cv2.inpaint(small, (hidden > 0).astype(np.uint8), 4, cv2.INPAINT_TELEA), np.uint8)
    smooth = np.asarray(cv2.GaussianBlur(skin, (0, 0), max(0.5, 0.05 * still.width * scale)))
    return np.rint(blend(skin, smooth, hidden)).astype(np.uint8)


def _lash_color(picture: Picture, still: Shape) -> npt.NDArray[np.float64]:
    """A dark color from along the edge of the upper lid."""
    places = still.upper[SAMPLES // 5 : -(SAMPLES // 5)]
    x = np.clip(np.rint(places.real), 0, picture.shape[1] - 1).astype(np.intp)
    y = np.clip(np.rint(places.imag), 0, picture.shape[0] - 1).astype(np.intp)
    return np.asarray(np.percentile(picture[y, x], 25, axis=0), np.float64)
