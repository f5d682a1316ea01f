"""What is seen inside an opening of a face and stays with the skull."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...core.interfaces.renderer import Picture
from ...geometry.complex_points import Plane
from .masks import Mask, coverage
from .openings import Shape
from .warp import Box, Similarity

Colors = npt.NDArray[np.floating[Any]]
"""One color ``[3]`` or one for each pixel, ``[h, w, 3]``; 0..255."""


@dataclass(frozen=True)
class Skull:
    """How the skull has moved: its similarity, and how far each of its points departs from it, in the still picture."""

    motion: Similarity
    slips: Plane

    def home(self, shape: Shape) -> Shape:
        """An opening taken back to where the skull was in the still picture."""
        back = self.motion.power(-1)
        return Shape(back(shape.upper), back(shape.lower), shape.across / self.motion.turn * abs(self.motion.turn))


class Inside(ABC):
    """Something that stays with the skull while lids or lips slide over it."""

    def __init__(self, still: Shape, skull: Plane) -> None:
        self.still = still
        apart = np.abs(skull - still.middle.mean()) / max(still.width, 1.0)
        self.nearness = np.exp(-(apart**2)) / np.exp(-(apart**2)).sum()

    @abstractmethod
    def around(self, shape: Shape) -> Box:
        """The box outside of which nothing is laid over the face."""

    @abstractmethod
    def layers(self, picture: Picture, shape: Shape, skull: Skull, box: Box) -> Iterator[tuple[Colors, Mask]]:
        """What to lay over ``box`` for an opening of this ``shape``, in order: colors, and how much of them."""

    def slip(self, skull: Skull) -> complex:
        """How far the skull close by departs from the similarity."""
        return complex(self.nearness @ skull.slips)


def affine(source: Callable[[complex], complex], box: Box) -> npt.NDArray[np.float64]:
    """Matrix ``[2, 3]`` of an affine map from pixels of ``box``."""
    corner = complex(box.x0, box.y0)
    origin = source(corner)
    x, y = source(corner + 1) - origin, source(corner + 1j) - origin
    return np.array([[x.real, y.real, origin.real], [x.imag, y.imag, origin.imag]])


def look_up(picture: Picture, source: npt.NDArray[np.float64], box: Box) -> Colors:
    """The pixels of ``box`` from their places in a picture."""
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(picture, source, box.size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.float32)


def between(shape: Shape, box: Box) -> Mask:
    """The place between the edges; a gap thinner than a pixel is seen as thinly."""
    return coverage(shape.outline, box) * np.float32(min(1.0, max(0.0, shape.gap)))
