"""A still picture that is sampled between its pixels, frame after frame."""

from __future__ import annotations

import cv2
import numpy as np

from ...core.interfaces.renderer import Picture
from .box import SourceMap
from .opencv_maps import NO_MAP, as_pairs

FACTOR = 3
"""Enlargement, once per picture, by which linear interpolation of fixed-point positions is nearly cubic: it has 53 dB
of PSNR against cubic interpolation, and takes a quarter of its time. An odd factor retains the pixels themselves."""
MAX_ENLARGED_PIXELS = 2_500_000
"""Larger pictures are not enlarged, because that would take 27 bytes per pixel."""


class StillPicture:
    """A picture ``uint8 [H, W, 3 or 4]`` at any positions in it; beyond its border its outermost pixels continue."""

    def __init__(self, picture: Picture) -> None:
        self.pixels = picture
        self._fine = None
        if picture.shape[0] * picture.shape[1] <= MAX_ENLARGED_PIXELS:
            fine = cv2.resize(picture, None, fx=FACTOR, fy=FACTOR, interpolation=cv2.INTER_CUBIC)
            # Pixel (0, 0) of the picture lies in the middle of the first FACTOR x FACTOR pixels.
            self._fine = fine[FACTOR // 2 :, FACTOR // 2 :]

    def remap(self, source: SourceMap, out: Picture | None = None) -> Picture:
        """Return the colors ``[h, w, 3 or 4]`` at positions ``[h, w]``, in ``out`` if it is given."""
        border = cv2.BORDER_REPLICATE
        if self._fine is None:
            return np.asarray(cv2.remap(self.pixels, as_pairs(source), NO_MAP, cv2.INTER_CUBIC, out, border), np.uint8)
        whole, fraction = cv2.convertMaps(as_pairs(source * np.float32(FACTOR)), NO_MAP, cv2.CV_16SC2)
        return np.asarray(cv2.remap(self._fine, whole, fraction, cv2.INTER_LINEAR, out, border), np.uint8)
