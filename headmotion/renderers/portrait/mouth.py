"""The mouth behind the lips: teeth, and the dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...core.interfaces.renderer import Picture
from ...geometry.complex_points import Plane
from ...geometry.smoothstep import smoothstep
from .masks import Mask, blend, coverage, signed_distance
from .opening_layer import Colors, Inside, Skull, affine, between, look_up
from .openings import SAMPLES, Shape, along
from .warp import Box

IVORY, TONGUE, DEPTH = (0.84, 0.80, 0.91), (0.70, 0.57, 0.64), (0.40, 0.31, 0.29)
"""Colors of upper teeth, of what lies on the lower lip, and of the dark between them that the picture does not show, as
parts of the skin's: in these, people and lamps of all colors agree."""
DIM, LIT = 0.68, (0.06, 0.15)
"""What is seen between lips that have hardly parted, relative to their color; and the gaps, in widths of the mouth,
between which that gives way to teeth and tongue."""
SHADOW = 0.75
"""Light that is left right below the upper lip."""


class Mouth(Inside):
    """The teeth of the picture; and where the mouth opens further, the dark, and a hint of teeth if none are seen."""

    def __init__(self, still: Shape, skull: Plane, picture: Picture) -> None:
        super().__init__(still, skull)
        self.soft = max(0.75, 0.02 * still.width)
        self.box = Box.around(still.outline, 0.35 * still.width + 4)
        # What lies just above the upper lip's edge counts as inside: the lip itself covers it.
        rise = min(2 * self.soft, max(still.gap, 0.0)) * still.across * 1j
        self.depth = signed_distance(np.concatenate([still.upper - rise, still.lower[::-1]]), self.box)
        width = max(still.width, 1.0)
        self.lips = _percentile(self._band(picture, -0.06 * width - 2.5, -0.5), 50, (150.0, 90.0, 85.0))
        self.skin = _percentile(self._band(picture, -0.35 * width - 2.5, -0.22 * width), 75, (190.0, 145.0, 120.0))
        self.shown = _shown_teeth(self._band(picture, 0.5, np.inf), self.lips)
        self.teeth = _upper_teeth(still, self.box) * np.float32(0.8 * (1 - self.shown))

    def around(self, shape: Shape) -> Box:
        """The opening."""
        return Box.around(shape.outline, 2)

    def layers(self, picture: Picture, shape: Shape, skull: Skull, box: Box) -> Iterator[tuple[Colors, Mask]]:
        """The mouth between its lips, and the line where lips meet that were apart in the picture."""
        if shape.gap > 0:
            yield self._between_lips(picture, shape, skull, box), between(shape, box)
        if (met := self._met(shape)) > 0:
            thin = 0.02 * shape.width * np.sin(np.linspace(0, np.pi, SAMPLES)) * shape.across * 1j
            line = np.concatenate([shape.middle - thin, (shape.middle + thin)[::-1]])
            yield DIM * self.lips, coverage(line, box) * np.float32(0.6 * met)

    def _between_lips(self, picture: Picture, shape: Shape, skull: Skull, box: Box) -> Colors:
        home, down = skull.home(shape), self.still.across * 1j
        shift = -self.slip(skull)
        # Teeth follow the lip upwards, for no gap may show above them; when it comes down it covers them.
        shift += max(0.0, float(along(self.still.upper - home.upper - shift, down).mean())) * down
        back = skull.motion.power(-1)
        source = affine(lambda z: back.at(z) + shift, box)
        seen = look_up(picture, source, box)
        source[:, 2] -= (self.box.x0, self.box.y0)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        depth = cv2.warpAffine(self.depth, source, box.size, flags=flags, borderValue=-1e3)
        teeth = cv2.warpAffine(self.teeth, source, box.size, flags=flags)
        wider = float(smoothstep((home.gap - self.still.gap) / (0.04 * self.still.width + 1e-6)))
        visible = smoothstep(np.asarray(depth) / (2 * self.soft) + 1.75 * (1 - wider))
        # What the picture shows between parted lips is only kept behind others if it is teeth.
        visible *= max(self.shown, 1 - wider)
        return blend(self._behind(shape, np.asarray(teeth, np.float32), box), seen, visible.astype(np.float32))

    def _behind(self, shape: Shape, teeth: Mask, box: Box) -> Colors:
        """Dark, with any hinted teeth, in the shadow of the upper lip; tongue and lower teeth above the lower one."""
        thick, thin = max(0.5, 0.11 * shape.width), max(0.5, 0.05 * shape.width)
        far = 4 * thick * shape.across * 1j
        from_lower = _inwards(shape.upper - far, shape.lower, thick, box)
        from_upper = _inwards(shape.upper, shape.lower + far, thin, box)
        tongue = np.broadcast_to(self.skin * TONGUE, (*from_lower.shape, 3))
        dark = blend(tongue, self.skin * DEPTH, from_lower)
        lit = blend(dark, self.skin * IVORY, teeth) * (SHADOW + (1 - SHADOW) * from_upper[..., None])
        first, last = LIT
        parted = float(smoothstep((shape.gap / max(shape.width, 1.0) - first) / (last - first)))
        return DIM * self.lips + parted * (lit - DIM * self.lips)

    def _band(self, picture: Picture, least: float, most: float) -> npt.NDArray[np.uint8]:
        """Pixels ``[n, 3]`` of the face at some distance (px) inside the opening, negative outside."""
        seen = self.box.clip(Box(0, 0, picture.shape[1], picture.shape[0]))
        depth = self.depth[seen.within(self.box)]
        return np.asarray(picture[seen.slices][(depth > least) & (depth < most)])

    def _met(self, shape: Shape) -> float:
        """0..1: how far lips that are apart in the picture have come together."""
        apart = smoothstep(self.still.gap / max(self.still.width, 1.0) / 0.08)
        return float(apart * smoothstep(1 - shape.gap / max(0.25 * self.still.gap, 1e-6)))


def _percentile(
    pixels: npt.NDArray[np.uint8], percent: float, otherwise: tuple[float, float, float]
) -> npt.NDArray[np.float64]:
    return np.asarray(np.percentile(pixels, percent, axis=0) if len(pixels) else otherwise, np.float64)


def _inwards(upper: Plane, lower: Plane, spread: float, box: Box) -> Mask:
    """0 at the edges of an outline, 1 inside from about ``spread`` pixels on."""
    filled = coverage(np.concatenate([upper, lower[::-1]]), box)
    soft = cv2.GaussianBlur(filled, (0, 0), spread, borderType=cv2.BORDER_REPLICATE)
    return smoothstep(2 * np.asarray(soft) - 1).astype(np.float32)


def _shown_teeth(inner: npt.NDArray[Any], lips: npt.NDArray[np.float64]) -> float:
    """0..1: whether the picture shows teeth: some of what is between the lips, ``[n, 3]``, is paler or less red."""
    light = inner[inner[:, 0] > 0.6 * lips[0]].astype(np.float64) / np.maximum(lips, 1.0)
    if not len(light):
        return 0.0
    pale = light[:, 1:].mean(axis=-1)
    brighter, fainter = np.percentile(pale, 90), np.percentile(pale / light[:, 0], 90)
    return float(max(smoothstep((brighter - 1.05) / 0.3), smoothstep((fainter - 1.05) / 0.1)))


def _upper_teeth(still: Shape, box: Box) -> Mask:
    """Where upper teeth would be: a soft band from behind the upper lip to a little below its edge."""
    edge = still.upper[SAMPLES // 8 : -(SAMPLES // 8)]
    tall = still.width * (1 - np.linspace(-1, 1, len(edge)) ** 4) * still.across * 1j
    band = coverage(np.concatenate([edge - 0.06 * tall, (edge + 0.15 * tall)[::-1]]), box)
    return np.asarray(cv2.GaussianBlur(band, (0, 0), max(0.5, 0.03 * still.width)), np.float32)
