"""The mouth behind the lips: teeth, tongue and the dark between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from typing_extensions import override

from ...core.interfaces.renderer import Picture
from ...geometry.complex_points import ComplexPoints
from ...geometry.smoothstep import smoothstep
from .box import Box
from .opencv_maps import look_up
from .opening_layer import (
    Colors,
    Mask,
    OpeningLayer,
    SkullMotion,
    blend,
    coverage,
    opening_mask,
    sample,
    signed_distance,
)
from .openings import SAMPLES, OpeningShape, component

TEETH_TONE, TONGUE_TONE, DARK_TONE = (0.90, 0.86, 0.93), (0.70, 0.57, 0.64), (0.40, 0.31, 0.29)
"""Colors of upper teeth, of tongue and lower teeth, and of the dark between them, where the picture shows none; all
relative to the color of the skin, so that they fit any skin in any light."""
PARTING_TONE = 0.68
"""Color between lips that have hardly parted, relative to that of the lips."""
PARTED_GAPS = 0.06, 0.15
"""Gaps (widths of the mouth) between which that color gives way to teeth and tongue."""
BARE_SHARE = 0.4
"""Part of the height below the teeth of the picture, at most, over which tongue and lower teeth fade into the dark."""
TEETH_SHARE, TONGUE_SHARE = 0.7, 0.4
"""Parts of the opening's height that painted teeth and tongue take at most, so that the dark is seen between them."""
LIP_SHADOW = 0.75
"""Light that remains right below the upper lip."""


class MouthLayer(OpeningLayer):
    """The teeth of the picture; where the mouth opens further, the dark, and a hint of teeth if there are none.

    Args:
        still: the mouth in the still picture.
        rigid: the rigid points ``[N]`` in the still picture.
        picture: the still picture ``[H, W, 3]``.
    """

    def __init__(self, still: OpeningShape, rigid: ComplexPoints, picture: Picture) -> None:
        super().__init__(still, rigid)
        self.edge_px = max(0.75, 0.02 * still.width)
        self.still_box = Box.around(still.outline, 0.35 * still.width + 4)
        # What lies just above the upper lip's edge counts as inside: the lip itself covers it.
        rise = min(2 * self.edge_px, max(still.gap, 0.0)) * still.across * 1j
        self.depth = signed_distance(np.concatenate([still.upper - rise, still.lower[::-1]]), self.still_box)
        width = max(still.width, 1.0)
        # The defaults are medium tones, for pictures that show no lips or skin around the mouth.
        self.lips = _percentile(self._band(picture, -0.06 * width - 2.5, -0.5), 50, (150.0, 90.0, 85.0))
        self.skin = _percentile(self._band(picture, -0.35 * width - 2.5, -0.22 * width), 75, (190.0, 145.0, 120.0))
        self.teeth_shown = _teeth_shown(self._band(picture, 0.5, np.inf), self.lips)
        self.painted_teeth = _upper_teeth(still, self.still_box) * np.float32(0.8 * (1 - self.teeth_shown))

    @override
    def box(self, shape: OpeningShape) -> Box:
        return Box.around(shape.outline, 2)

    @override
    def paint(
        self, picture: Picture, shape: OpeningShape, skull: SkullMotion, box: Box
    ) -> Iterator[tuple[Colors, Mask]]:
        if shape.gap > 0:
            yield self._between_lips(picture, shape, skull, box), opening_mask(shape, box)
        # The line where lips meet that are apart in the picture.
        if (closed := self._closed(shape)) > 0:
            half = 0.02 * shape.width * np.sin(np.linspace(0, np.pi, SAMPLES)) * shape.across * 1j
            line = np.concatenate([shape.middle - half, (shape.middle + half)[::-1]])
            yield PARTING_TONE * self.lips, coverage([line], box) * np.float32(0.6 * closed)

    def _between_lips(self, picture: Picture, shape: OpeningShape, skull: SkullMotion, box: Box) -> Colors:
        gap, down = skull.gap_in_still(shape), self.still.across * 1j
        shift = -self.local_residual(skull)
        # Teeth follow the lip upwards, because no gap may show above them; when it comes down it covers them.
        shift += max(0.0, float(component(self.still.upper - skull.back(shape.upper) - shift, down).mean())) * down
        source = skull.back(box.pixels) + np.complex64(shift)
        from_picture = sample(picture, source)
        within = source - np.complex64(complex(self.still_box.x0, self.still_box.y0))
        depth, teeth = look_up(self.depth, within, outside=-1e3), look_up(self.painted_teeth, within)
        wider = smoothstep((gap - self.still.gap) / (0.04 * self.still.width + 1e-6))
        # At the gap of the picture everything shows; the wider the mouth, the further from its edges.
        visible = smoothstep(depth / (2 * self.edge_px) + 1.75 * (1 - wider))
        # In a mouth that opens wider, what the picture shows between the lips is retained only if it is teeth.
        visible *= max(self.teeth_shown, 1 - wider)
        shown = self.still.gap * shape.gap / max(gap, 1e-6)
        painted = self._painted(shape, max(0.0, shape.gap - shown), teeth, box)
        return blend(painted, from_picture, visible.astype(np.float32))

    def _painted(self, shape: OpeningShape, bare: float, teeth: Mask, box: Box) -> Colors:
        """Paint the dark, teeth in the shadow of the upper lip, and tongue and lower teeth above the lower lip.

        Args:
            shape: the opening in the frame.
            bare: height by which the mouth is wider open than in the picture (px).
            teeth: opacity of painted teeth.
            box: the part of the frame to paint.
        """
        # Below teeth that the picture shows, the dark begins at once; a low band of tongue alone would look flat.
        gap = max(shape.gap, 0.0)
        thick = min(0.11 * shape.width, TONGUE_SHARE * gap)
        thick = max(0.5, thick + self.teeth_shown * (min(thick, BARE_SHARE * bare) - thick))
        thin = max(0.5, min(0.05 * shape.width, 0.2 * gap))
        # The other edge is moved far away, so that only one edge fades.
        far = 0.44 * shape.width * shape.across * 1j
        from_lower = _fade_inwards(shape.upper - far, shape.lower, thick, box)
        from_upper = _fade_inwards(shape.upper, shape.lower + far, thin, box)
        teeth_end = shape.upper + TEETH_SHARE * (shape.lower - shape.upper)
        teeth = teeth * _fade_inwards(shape.upper - far, teeth_end, max(0.5, 0.12 * gap), box)
        tongue = np.broadcast_to(self.skin * TONGUE_TONE, (*from_lower.shape, 3))
        dark = blend(tongue, self.skin * DARK_TONE, from_lower)
        lit = blend(dark, self.skin * TEETH_TONE, teeth) * (LIP_SHADOW + (1 - LIP_SHADOW) * from_upper[..., None])
        first, last = PARTED_GAPS
        parted = smoothstep((shape.gap / max(shape.width, 1.0) - first) / (last - first))
        return PARTING_TONE * self.lips + parted * (lit - PARTING_TONE * self.lips)

    def _band(self, picture: Picture, least: float, most: float) -> npt.NDArray[np.uint8]:
        """Return the pixels ``[n, 3]`` of the picture at some distance (px) inside the opening, negative outside."""
        inside = self.still_box.clip(Box(0, 0, picture.shape[1], picture.shape[0]))
        depth = self.depth[inside.within(self.still_box)]
        return np.asarray(picture[inside.slices][(depth > least) & (depth < most)])

    def _closed(self, shape: OpeningShape) -> float:
        """Return 0..1: how far lips that are apart in the picture have come together."""
        open_in_still = smoothstep(self.still.gap / max(self.still.width, 1.0) / 0.08)
        return open_in_still * smoothstep(1 - shape.gap / max(0.25 * self.still.gap, 1e-6))


def _percentile(
    pixels: npt.NDArray[np.uint8], percent: float, default: tuple[float, float, float]
) -> npt.NDArray[np.float64]:
    return np.asarray(np.percentile(pixels, percent, axis=0) if len(pixels) else default, np.float64)


def _fade_inwards(upper: ComplexPoints, lower: ComplexPoints, width_px: float, box: Box) -> Mask:
    """Return 0 at the edges of an outline, 1 inside from about ``width_px`` pixels on."""
    filled = coverage([np.concatenate([upper, lower[::-1]])], box)
    soft = cv2.GaussianBlur(filled, (0, 0), width_px, borderType=cv2.BORDER_REPLICATE)
    faded: Mask = smoothstep(2 * np.asarray(soft) - 1).astype(np.float32)
    return faded


def _teeth_shown(inner: npt.NDArray[Any], lips: npt.NDArray[np.float64]) -> float:
    """Return 0..1: whether the picture shows teeth.

    Args:
        inner: pixels ``[n, 3]`` between the lips. Teeth are paler or less red than lips.
        lips: color ``[3]`` of the lips.
    """
    # Darker pixels are the inside of the mouth, which says nothing about teeth.
    light = inner[inner[:, 0] > 0.6 * lips[0]].astype(np.float64) / np.maximum(lips, 1.0)
    if not len(light):
        return 0.0
    pale = light[:, 1:].mean(axis=-1)
    brightness, paleness = np.percentile(pale, 90), np.percentile(pale / light[:, 0], 90)
    return float(max(smoothstep((brightness - 1.05) / 0.3), smoothstep((paleness - 1.05) / 0.1)))


def _upper_teeth(still: OpeningShape, box: Box) -> Mask:
    """Return where upper teeth would be: a soft band from behind the upper lip to a little below its edge."""
    edge = still.upper[SAMPLES // 8 : -(SAMPLES // 8)]
    # Teeth become shorter towards the corners.
    height = still.width * (1 - np.linspace(-1, 1, len(edge)) ** 4) * still.across * 1j
    band = coverage([np.concatenate([edge - 0.06 * height, (edge + 0.15 * height)[::-1]])], box)
    return np.asarray(cv2.GaussianBlur(band, (0, 0), max(0.5, 0.03 * still.width)), np.float32)
