"""The part of a picture that a portrait shows, and its pixels as they are warped."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ...core.interfaces.renderer import Picture
from ...geometry.complex_points import ComplexPoints
from .box import Box

FAINT = 8
"""Alpha (0..255) below which a pixel's own color is unreliable."""


@dataclass(frozen=True)
class View:
    """The part of a picture that is warped, the size at which it is warped, and what of that is shown."""

    box: Box
    """The part of the picture that is warped."""
    width: int
    """Of the part after resizing."""
    height: int
    """Of the part after resizing."""
    shown: Box
    """What is shown, in pixels of the resized part; its edges are even."""

    @staticmethod
    def showing(box: Box, around: Box, scale: float) -> View:
        """Return a view that shows ``box`` of a picture and warps all ``around`` it, resized by a scale."""
        shown = even(box.size[0] * scale), even(box.size[1] * scale)
        # An even edge may be a pixel longer than all that there is.
        width, height = (
            max(edge, round(all * scale)) if all > part else edge
            for edge, all, part in zip(shown, around.size, box.size, strict=True)
        )
        x = min(round((box.x0 - around.x0) * scale), width - shown[0])
        y = min(round((box.y0 - around.y0) * scale), height - shown[1])
        return View(around, width, height, Box(x, y, x + shown[0], y + shown[1]))

    def cut(self, frame: Picture) -> Picture:
        """Cut what is shown out of the resized part."""
        return frame if self.shown.size == (self.width, self.height) else np.ascontiguousarray(frame[self.shown.slices])

    def crop(self, picture: Picture) -> Picture:
        """Cut the part out of the picture and resize it."""
        part = np.ascontiguousarray(picture[self.box.slices])
        if self.box.size == (self.width, self.height):
            return part
        smaller = self.width < self.box.size[0]
        # Averages where it shrinks, which avoids aliasing; interpolates where it grows.
        method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, (self.width, self.height), interpolation=method), np.uint8)

    def to_view(self, points: ComplexPoints) -> ComplexPoints:
        """Convert positions in the picture to positions in the resized part."""
        x = (points.real - self.box.x0 + 0.5) * (self.width / self.box.size[0]) - 0.5
        y = (points.imag - self.box.y0 + 0.5) * (self.height / self.box.size[1]) - 0.5
        converted: ComplexPoints = x + 1j * y
        return converted


def fill_transparent(picture: Picture) -> Picture:
    """Return a picture ``[H, W, 4]`` in which transparent pixels have the color of the nearest visible one.

    Programs often store black or white there, which would bleed into the edges where the picture is warped.
    """
    hidden = (picture[..., 3] < FAINT).astype(np.uint8)
    if not hidden.any() or hidden.all():
        return picture
    _, nearest = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    filled = picture.copy()
    # Labels count the visible pixels from 1, in the order of rows.
    filled[..., :3] = picture[hidden == 0][:, :3][nearest - 1]
    return filled


def even(edge: float) -> int:
    """Round an edge to an even number of pixels, as video encoders need."""
    return max(2, 2 * round(edge / 2))
