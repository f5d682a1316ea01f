"""What is seen inside the openings of a face."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..core.renderer import Picture
from .masks import Box, Mask, blend, coverage, signed_distance
from .openings import MOUTH, SAMPLES, Opening, Shape, along
from .warp import Plane, Similarity, smoothstep

WARM = (1.0, 1.5, 1.4)
"""Exponents by which red, green and blue darken inside the mouth."""
IVORY = (0.92, 0.78, 0.66)
"""Shaded color of teeth that the picture does not show, relative to the lightest channel of the lips."""


class Inside:
    """What is seen in an opening: the picture's own eye or teeth, which stay with the skull, and beyond them the dark.

    Lids and lips slide over it. A mouth that opens further than in the picture shows a cavity in a dark shade of the
    lips; an eye that does is stretched.
    """

    def __init__(self, opening: Opening, picture: Picture, pose: Plane, skull: list[int]) -> None:
        self.is_mouth = opening.name == MOUTH
        self.still = opening.shape(pose)
        apart = np.abs(pose[skull] - self.still.middle.mean()) / max(self.still.width, 1.0)
        self.nearness = np.exp(-(apart**2)) / np.exp(-(apart**2)).sum()
        self.soft = max(0.75, 0.02 * self.still.width)
        self.box = Box.around(self.still.outline, 0.35 * self.still.width + 4)
        # What lies just above the upper lip's edge counts as inside: the lip itself covers it.
        raise_by = min(2 * self.soft, max(self.still.gap, 0.0)) * self.still.across * 1j
        self.depth = signed_distance(np.concatenate([self.still.upper - raise_by, self.still.lower[::-1]]), self.box)
        self.tone = _lip_tone(picture, self.depth, self.box, self.still.width) if self.is_mouth else np.zeros(3)

        self.teeth = _upper_teeth(self.still, self.box)

    def paint(
        self, picture: Picture, shape: Shape, motion: Similarity, slips: Plane, box: Box
    ) -> npt.NDArray[np.float32]:
        """The inside over all of ``box``, ``[h, w, 3]``.

        Args:
            picture: the still picture.
            shape: the opening now.
            motion: that of the skull.
            slips: by how much each point of the skull departs from it, in pixels of the still picture.
            box: where to paint.
        """
        at_home = Shape(motion.power(-1)(shape.upper), motion.power(-1)(shape.lower), self.still.across)
        source = self._source(motion, at_home, complex(self.nearness @ slips), box)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(picture, source, box.size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        if not self.is_mouth:
            return seen.astype(np.float32)
        wider = float(smoothstep(np.float64((at_home.gap - self.still.gap) / (0.04 * self.still.width + 1e-6))))
        source[:, 2] -= (self.box.x0, self.box.y0)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        depth = cv2.warpAffine(self.depth, source, box.size, flags=flags, borderValue=-1e3)
        teeth = cv2.warpAffine(self.teeth, source, box.size, flags=flags)
        visible = smoothstep(depth / (2 * self.soft) + 1.75 - 1.75 * wider).astype(np.float32)
        return blend(self._behind(shape, teeth, box), seen, visible)

    def seam(self, shape: Shape, box: Box) -> tuple[Mask, npt.NDArray[np.float64]]:
        """Strength and color of the line between lips that were apart in the picture and now meet."""
        apart = self.still.gap / max(self.still.width, 1.0)
        met = 1 - shape.gap / max(0.25 * self.still.gap, 1e-6)
        strength = 0.6 * float(smoothstep(np.float64(met)) * smoothstep(np.float64(apart / 0.08)))
        thin = 0.02 * shape.width * np.sin(np.linspace(0, np.pi, SAMPLES)) * shape.across * 1j
        line = np.concatenate([shape.middle - thin, (shape.middle + thin)[::-1]])
        return coverage(line, box) * np.float32(strength * self.is_mouth), self.tone * np.power(0.4, WARM)

    def _source(self, motion: Similarity, at_home: Shape, slip: complex, box: Box) -> npt.NDArray[np.float64]:
        """Affine map ``[2, 3]`` from pixels of ``box`` to the still picture."""
        down = self.still.across * 1j
        shift, stretch = -slip, 1.0
        if self.is_mouth:
            # Teeth follow the lip upwards, for no gap may show above them; when it comes down it covers them.
            shift += max(0.0, float(along(self.still.upper - at_home.upper - shift, down).mean())) * down
        elif at_home.gap > self.still.gap:
            stretch = self.still.gap / at_home.gap
        pivot = complex(self.still.lower.mean())

        def place(z: complex) -> complex:
            home = complex(motion.power(-1)(np.complex128(z + box.x0 + 1j * box.y0))) + shift
            return home + (stretch - 1) * float(along(np.complex128(home - pivot), down)) * down

        origin, x, y = place(0), place(1), place(1j)
        return np.array(
            [[(x - origin).real, (y - origin).real, origin.real], [(x - origin).imag, (y - origin).imag, origin.imag]]
        )

    def _behind(self, shape: Shape, teeth: Mask, box: Box) -> npt.NDArray[np.float32]:
        """Dark, with any hinted teeth, in the shadow of the upper lip; the inner side of the lower lip at its edge."""
        spread = max(0.5, 0.06 * shape.width)
        far = 4 * spread * shape.across * 1j
        from_lower = _inwards(shape.upper - far, shape.lower, spread, box)
        from_upper = _inwards(shape.upper, shape.lower + far, spread, box)
        dark = self.tone * (0.62 - 0.44 * from_lower[..., None]) ** WARM
        lit = blend(dark.astype(np.float32), self.tone.max() * np.array(IVORY), teeth)
        return lit * (0.45 + 0.55 * from_upper[..., None])


def _inwards(upper: Plane, lower: Plane, spread: float, box: Box) -> Mask:
    """0 at the edges of an outline, 1 inside from about ``spread`` pixels on."""
    filled = coverage(np.concatenate([upper, lower[::-1]]), box)
    soft = cv2.GaussianBlur(filled, (0, 0), spread, borderType=cv2.BORDER_REPLICATE)
    return smoothstep(2 * soft - 1).astype(np.float32)


def _lip_tone(picture: Picture, depth: Mask, box: Box, width: float) -> npt.NDArray[np.float64]:
    """Median color of a band around the mouth."""
    seen = box.clip(Box(0, 0, picture.shape[1], picture.shape[0]))
    near = depth[seen.y0 - box.y0 : seen.y1 - box.y0, seen.x0 - box.x0 : seen.x1 - box.x0]
    band = picture[seen.slices][(near < -0.5) & (near > -0.5 - max(2.0, 0.06 * width))]
    return np.median(band, axis=0) if len(band) else np.array([150.0, 90.0, 85.0])


def _upper_teeth(still: Shape, box: Box) -> Mask:
    """A hint of upper teeth, for a mouth that is closed in the picture: a soft band below the line of the lips."""
    closed = 1 - float(smoothstep(np.float64(still.gap / max(still.width, 1.0) / 0.06)))
    edge = still.middle[SAMPLES // 6 : -(SAMPLES // 6)]
    drop = 0.15 * still.width * (1 - np.linspace(-1, 1, len(edge)) ** 4) * still.across * 1j
    band = coverage(np.concatenate([edge, (edge + drop)[::-1]]), box)
    soft = cv2.GaussianBlur(band, (0, 0), max(0.5, 0.03 * still.width))
    return np.asarray(0.7 * closed * soft, np.float32)
