"""What is seen inside the openings of a face: eyes behind lids, teeth and dark behind lips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..core.renderer import Picture
from .masks import Mask, blend, coverage, signed_distance
from .openings import MOUTH, SAMPLES, Opening, Shape, along
from .warp import Box, Plane, Similarity, smoothstep

Colors = npt.NDArray[np.floating[Any]]
"""One color ``[3]`` or one for each pixel, ``[h, w, 3]``; 0..255."""

WARM = (1.0, 1.5, 1.4)
"""Exponents by which red, green and blue darken inside the mouth."""
IVORY = (0.92, 0.78, 0.66)
"""Shaded color of teeth that the picture does not show, relative to the lightest channel of the lips."""


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
    def layers(self, picture: Picture, shape: Shape, skull: Skull, box: Box) -> Iterator[tuple[Colors, Mask]]:
        """What to lay over ``box`` for an opening of this ``shape``, in order: colors, and how much of them."""

    def slip(self, skull: Skull) -> complex:
        """How far the skull close by departs from the similarity."""
        return complex(self.nearness @ skull.slips)


class Eye(Inside):
    """The eye of the picture, covered by its lids; stretched where they open further than in the picture."""

    def layers(self, picture: Picture, shape: Shape, skull: Skull, box: Box) -> Iterator[tuple[Colors, Mask]]:
        """The eye between its lids."""
        home, down = skull.home(shape), self.still.across * 1j
        squeeze = min(1.0, self.still.gap / home.gap) if home.gap > 0 else 1.0
        back, slip, pivot = skull.motion.power(-1), self.slip(skull), complex(self.still.lower.mean())

        def source(z: complex) -> complex:
            place = back.at(z) - slip
            return place + (squeeze - 1) * ((place - pivot) * down.conjugate()).real * down

        yield _look_up(picture, _affine(source, box), box), _between(shape, box)


class Mouth(Inside):
    """The teeth of the picture; and where the mouth opens further, the dark, and a hint of teeth if none are seen."""

    def __init__(self, still: Shape, skull: Plane, picture: Picture) -> None:
        super().__init__(still, skull)
        self.soft = max(0.75, 0.02 * still.width)
        self.box = Box.around(still.outline, 0.35 * still.width + 4)
        # What lies just above the upper lip's edge counts as inside: the lip itself covers it.
        rise = min(2 * self.soft, max(still.gap, 0.0)) * still.across * 1j
        self.depth = signed_distance(np.concatenate([still.upper - rise, still.lower[::-1]]), self.box)
        self.tone = _lip_tone(picture, self.depth, self.box, still.width)
        self.teeth = _upper_teeth(still, self.box)

    def layers(self, picture: Picture, shape: Shape, skull: Skull, box: Box) -> Iterator[tuple[Colors, Mask]]:
        """The mouth between its lips, and the line where lips meet that were apart in the picture."""
        if shape.gap > 0:
            yield self._between_lips(picture, shape, skull, box), _between(shape, box)
        if (met := self._met(shape)) > 0:
            thin = 0.02 * shape.width * np.sin(np.linspace(0, np.pi, SAMPLES)) * shape.across * 1j
            line = np.concatenate([shape.middle - thin, (shape.middle + thin)[::-1]])
            yield self.tone * np.power(0.4, WARM), coverage(line, box) * np.float32(0.6 * met)

    def _between_lips(self, picture: Picture, shape: Shape, skull: Skull, box: Box) -> Colors:
        home, down = skull.home(shape), self.still.across * 1j
        shift = -self.slip(skull)
        # Teeth follow the lip upwards, for no gap may show above them; when it comes down it covers them.
        shift += max(0.0, float(along(self.still.upper - home.upper - shift, down).mean())) * down
        back = skull.motion.power(-1)
        source = _affine(lambda z: back.at(z) + shift, box)
        seen = _look_up(picture, source, box)
        source[:, 2] -= (self.box.x0, self.box.y0)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        depth = cv2.warpAffine(self.depth, source, box.size, flags=flags, borderValue=-1e3)
        teeth = cv2.warpAffine(self.teeth, source, box.size, flags=flags)
        wider = float(smoothstep((home.gap - self.still.gap) / (0.04 * self.still.width + 1e-6)))
        visible = smoothstep(np.asarray(depth) / (2 * self.soft) + 1.75 * (1 - wider))
        return blend(self._behind(shape, np.asarray(teeth, np.float32), box), seen, visible.astype(np.float32))

    def _behind(self, shape: Shape, teeth: Mask, box: Box) -> Colors:
        """Dark, with any hinted teeth, in the shadow of the upper lip; the inner side of the lower lip at its edge."""
        spread = max(0.5, 0.06 * shape.width)
        far = 4 * spread * shape.across * 1j
        from_lower = _inwards(shape.upper - far, shape.lower, spread, box)
        from_upper = _inwards(shape.upper, shape.lower + far, spread, box)
        dark = self.tone * (0.62 - 0.44 * from_lower[..., None]) ** WARM
        lit = blend(dark, self.tone.max() * np.array(IVORY), teeth)
        return lit * (0.45 + 0.55 * from_upper[..., None])

    def _met(self, shape: Shape) -> float:
        """0..1: how far lips that are apart in the picture have come together."""
        apart = smoothstep(self.still.gap / max(self.still.width, 1.0) / 0.08)
        return float(apart * smoothstep(1 - shape.gap / max(0.25 * self.still.gap, 1e-6)))


def inside_of(opening: Opening, picture: Picture, pose: Plane, skull: list[int]) -> Inside:
    """What is seen in an opening of the still picture; ``skull`` are the points that move with the skull."""
    still = opening.shape(pose)
    return Mouth(still, pose[skull], picture) if opening.name == MOUTH else Eye(still, pose[skull])


def _affine(source: Callable[[complex], complex], box: Box) -> npt.NDArray[np.float64]:
    """Matrix ``[2, 3]`` of an affine map from pixels of ``box``."""
    corner = complex(box.x0, box.y0)
    origin = source(corner)
    x, y = source(corner + 1) - origin, source(corner + 1j) - origin
    return np.array([[x.real, y.real, origin.real], [x.imag, y.imag, origin.imag]])


def _look_up(picture: Picture, source: npt.NDArray[np.float64], box: Box) -> Colors:
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(picture, source, box.size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.float32)


def _between(shape: Shape, box: Box) -> Mask:
    """The place between the edges; a gap thinner than a pixel is seen as thinly."""
    return coverage(shape.outline, box) * np.float32(min(1.0, max(0.0, shape.gap)))


def _inwards(upper: Plane, lower: Plane, spread: float, box: Box) -> Mask:
    """0 at the edges of an outline, 1 inside from about ``spread`` pixels on."""
    filled = coverage(np.concatenate([upper, lower[::-1]]), box)
    soft = cv2.GaussianBlur(filled, (0, 0), spread, borderType=cv2.BORDER_REPLICATE)
    return smoothstep(2 * np.asarray(soft) - 1).astype(np.float32)


def _lip_tone(picture: Picture, depth: Mask, box: Box, width: float) -> npt.NDArray[np.float64]:
    """Median color of a band around the mouth."""
    seen = box.clip(Box(0, 0, picture.shape[1], picture.shape[0]))
    near = depth[seen.within(box)]
    band = picture[seen.slices][(near < -0.5) & (near > -0.5 - max(2.0, 0.06 * width))]
    tone = np.median(band, axis=0) if len(band) else (150.0, 90.0, 85.0)
    return np.asarray(tone, np.float64)


def _upper_teeth(still: Shape, box: Box) -> Mask:
    """A hint of upper teeth, for a mouth that is closed in the picture: a soft band below the line of the lips."""
    closed = 1 - float(smoothstep(still.gap / max(still.width, 1.0) / 0.06))
    edge = still.middle[SAMPLES // 6 : -(SAMPLES // 6)]
    drop = 0.15 * still.width * (1 - np.linspace(-1, 1, len(edge)) ** 4) * still.across * 1j
    band = coverage(np.concatenate([edge, (edge + drop)[::-1]]), box)
    soft = cv2.GaussianBlur(band, (0, 0), max(0.5, 0.03 * still.width))
    return np.asarray(0.7 * closed * np.asarray(soft), np.float32)
