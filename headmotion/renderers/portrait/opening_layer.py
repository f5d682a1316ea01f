"""What is visible inside an opening of a face, and soft masks by which it is laid over the face."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...core.interfaces.renderer import Picture
from ...geometry.complex_points import ComplexPoints
from .box import Box
from .opencv_maps import as_pairs, look_up
from .openings import OpeningShape
from .warp import Similarity

Colors = npt.NDArray[np.floating[Any] | np.uint8]
"""One color ``[3]`` or one for each pixel, ``[h, w, 3]``; 0..255."""
Mask = npt.NDArray[np.float32]
"""Coverage ``[h, w]``, 0..1."""

SUBPIXELS = 4
"""Samples per pixel in either direction, by which masks are anti-aliased."""
FRACTION_BITS = 4
"""Bits of a corner's position between samples."""
INSIDE = 240
"""Value of samples inside an outline: a multiple of the samples per pixel, so that their average is a whole number."""


@dataclass(frozen=True)
class SkullMotion:
    """The motion of the skull from the still picture to a frame."""

    back: Similarity
    """From the frame to the still picture."""
    residuals: ComplexPoints
    """Displacements of the rigid points that the similarity does not explain, in the still picture (px)."""

    def gap_in_still(self, shape: OpeningShape) -> float:
        """Return how far an opening is open, in pixels of the still picture."""
        return abs(self.back.factor) * shape.gap


class OpeningLayer(ABC):
    """Something that moves with the skull while lids or lips slide over it.

    Args:
        still: the opening in the still picture.
        rigid: the rigid points ``[N]`` in the still picture.
    """

    def __init__(self, still: OpeningShape, rigid: ComplexPoints) -> None:
        self.still = still
        distance = np.abs(rigid - still.middle.mean()) / max(still.width, 1.0)
        self.nearness = np.exp(-(distance**2)) / np.exp(-(distance**2)).sum()

    @abstractmethod
    def box(self, shape: OpeningShape) -> Box:
        """Return the box outside of which nothing is laid over the face."""

    @abstractmethod
    def paint(
        self, picture: Picture, shape: OpeningShape, skull: SkullMotion, box: Box
    ) -> Iterator[tuple[Colors, Mask]]:
        """Return what to lay over the face, in order: colors and their opacity.

        Args:
            picture: the still picture ``[H, W, 3]``.
            shape: the opening in the frame.
            skull: the skull's motion to the frame.
            box: the part of the frame to paint.
        """

    def local_residual(self, skull: SkullMotion) -> complex:
        """Return how far the skull near this opening departs from its similarity (px, in the still picture)."""
        return complex(self.nearness @ skull.residuals)


def sample(picture: Picture, source: ComplexPoints) -> Colors:
    """Return the colors ``[h, w, 3]`` at positions ``[h, w]`` in a picture."""
    return look_up(picture, source, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)


def opening_mask(shape: OpeningShape, box: Box) -> Mask:
    """Return the mask of what lies between the edges; a gap thinner than a pixel is transparent in proportion."""
    return coverage([shape.outline], box) * np.float32(min(1.0, max(0.0, shape.gap)))


def coverage(outlines: list[ComplexPoints], box: Box) -> Mask:
    """Return how much of each pixel of ``box`` lies inside any of some closed outlines."""
    share = cv2.resize(fill(outlines, box, SUBPIXELS), box.size, interpolation=cv2.INTER_AREA)
    return np.asarray(share, np.float32) / np.float32(INSIDE)


def signed_distance(outline: ComplexPoints, box: Box) -> Mask:
    """Return the distance to a closed outline (px), positive inside."""
    inside = fill([outline], box, SUBPIXELS) // INSIDE
    if not inside.any():
        return np.full(box.size[::-1], -1e3, np.float32)
    measure = cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    distance = cv2.distanceTransform(inside, *measure) - cv2.distanceTransform(1 - inside, *measure)
    return np.asarray(cv2.resize(distance / SUBPIXELS, box.size, interpolation=cv2.INTER_AREA), np.float32)


def fill(outlines: list[ComplexPoints], box: Box, samples: int = 1) -> npt.NDArray[np.uint8]:
    """Return `INSIDE` inside some closed outlines and 0 elsewhere, at ``samples`` squared samples of every pixel."""
    width, height = box.size
    filled = np.zeros((height * samples, width * samples), np.uint8)
    first = samples * complex(box.x0 - 0.5, box.y0 - 0.5) + complex(0.5, 0.5)
    for outline in outlines:
        corners = as_pairs(outline * (samples << FRACTION_BITS) - first * (1 << FRACTION_BITS))
        cv2.fillPoly(filled, [np.rint(corners).astype(np.int32)], INSIDE, shift=FRACTION_BITS)
    return filled


def blend(below: npt.NDArray[Any], above: npt.NDArray[Any], mask: Mask) -> npt.NDArray[np.float32]:
    """Return colors ``above`` over those ``below`` where ``mask`` is 1, ``[h, w, 3]``."""
    mixed = below.astype(np.float32)
    change = np.subtract(above, mixed, dtype=np.float32)
    change *= mask[..., None]
    mixed += change
    return mixed
