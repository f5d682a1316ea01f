"""The eye behind its lids."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
from typing_extensions import override

from ...core.interfaces.renderer import Picture
from ...geometry.complex_points import ComplexPoints
from ...geometry.smoothstep import smoothstep
from .box import Box
from .opening_layer import (
    Colors,
    Mask,
    OpeningLayer,
    SkullMotion,
    blend,
    coverage,
    opening_mask,
    sample,
)
from .openings import SAMPLES, Opening, OpeningShape, component
from .warp import Similarity

ABOVE, BELOW = 0.14, 0.06
"""Height of lashes and shadow above and below an eye, in widths of the eye."""
LASH_THICKNESS = 0.07
"""Thickness of the line of lashes, in widths of the eye."""
ARCH = np.sin(np.linspace(0, np.pi, SAMPLES)) ** 0.5
"""Curve ``[SAMPLES]`` from 0 at the corners to 1 in the middle, by which lids and lashes are rounded."""
SKIN_WIDTH_PX = 48
"""Width of the eye at which the skin of the lids is computed; it is smooth, so that is enough."""


class EyeLayer(OpeningLayer):
    """The eye of the picture, covered by its lids; stretched where they open further than in the picture.

    The skin of lids that close is not in the picture. Pulling the skin above an eye down over it would pull brows and
    glasses along, so the warp leaves such lids where they are (see `open_lids`), and they are painted with skin that is
    inpainted from the surroundings of the eye.

    Args:
        still: the eye in the still picture.
        rigid: the rigid points ``[N]`` in the still picture.
        picture: the still picture ``[H, W, 3]``.
    """

    def __init__(self, still: OpeningShape, rigid: ComplexPoints, picture: Picture) -> None:
        super().__init__(still, rigid)
        picture_box = Box(0, 0, picture.shape[1], picture.shape[0])
        self.skin_box = Box.around(still.outline, still.width + 4).clip(picture_box)
        self.skin_scale = min(1.0, SKIN_WIDTH_PX / max(still.width, 1.0))
        self.skin = _inpaint_eye(picture, still, self.skin_box, self.skin_scale)
        self.pivot = complex(still.lower.mean())
        self.lash_color = _lash_color(picture, still)

    @override
    def box(self, shape: OpeningShape) -> Box:
        still = _corner_fit(self.still, shape)(self.still.outline)
        return Box.around(np.concatenate([shape.outline, still]), 2 + 2 * ABOVE * shape.width)

    @override
    def paint(
        self, picture: Picture, shape: OpeningShape, skull: SkullMotion, box: Box
    ) -> Iterator[tuple[Colors, Mask]]:
        # First the lids as far as they have closed, then the eye between them, then the lashes of the upper lid.
        from_still, down = _corner_fit(self.still, shape), shape.across * 1j
        upper, lower = from_still(self.still.upper), from_still(self.still.lower)
        # Only closing counts: lids that open further show the eye of the picture.
        drop = np.maximum(component(shape.upper - upper, down), 0)
        rise = np.maximum(component(lower - shape.lower, down), 0)
        # Fades the skin in, so that an eye does not flicker where landmarks tremble around the open pose.
        closing = smoothstep(float((drop + rise).mean()) / max(0.4 * self.still.gap, 0.5))
        if closing > 0:
            bow = closing * shape.width * ARCH * down
            lids = [(upper - ABOVE * bow, upper + drop * down), (lower - rise * down, lower + BELOW * bow)]
            covered = coverage([np.concatenate([a, b[::-1]]) for a, b in lids], box)
            # The blurred mask reaches a little beyond the lids, so that no rim of the old eye is left.
            yield self._skin(from_still, box), np.maximum(covered, _blur(covered, 0.02 * shape.width))
        yield self._eye(picture, shape, skull, box), opening_mask(shape, box)
        if closing > 0:
            half = LASH_THICKNESS / 2 * bow
            line = np.concatenate([shape.upper - half, (shape.upper + half)[::-1]])
            yield self.lash_color, _blur(coverage([line], box), 0.025 * shape.width) * np.float32(0.9 * closing)

    def _eye(self, picture: Picture, shape: OpeningShape, skull: SkullMotion, box: Box) -> Colors:
        """Return the eyeball, moved with the skull and stretched if the lids open wider than in the picture."""
        gap, down = skull.gap_in_still(shape), self.still.across * 1j
        # Wider open than in the picture, there is no more eye to show, so what is there is stretched.
        squeeze = min(1.0, self.still.gap / gap) if gap > 0 else 1.0
        source = skull.back(box.pixels) - self.local_residual(skull)
        source += (squeeze - 1) * component(source - self.pivot, down) * down
        return sample(picture, source)

    def _skin(self, from_still: Similarity, box: Box) -> Colors:
        corner, half = complex(self.skin_box.x0 - 0.5, self.skin_box.y0 - 0.5), complex(0.5, 0.5)
        return sample(self.skin, (from_still.power(-1)(box.pixels) - corner) * self.skin_scale - half)


def open_lids(opening: Opening, still: ComplexPoints, pose: ComplexPoints) -> ComplexPoints:
    """Return a pose with the lids no further closed than in the still picture; the corners of the eye stay in place.

    Args:
        opening: the eye.
        still: landmarks ``[P]`` in the still picture.
        pose: landmarks ``[P]`` in the frame.
    """
    corners = [opening.upper[0], opening.upper[-1]]
    from_still = Similarity.between(still[corners], pose[corners])
    down = opening.across(pose) * 1j
    opened = pose.copy()
    for chain, outward in ((list(opening.upper[1:-1]), -down), (list(opening.lower[1:-1]), down)):
        unclosed = from_still(still[chain])
        opened[chain] = unclosed + np.maximum(component(pose[chain] - unclosed, outward), 0) * outward
    return opened


def _blur(mask: Mask, sigma_px: float) -> Mask:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.4, sigma_px)), np.float32)


def _corner_fit(still: OpeningShape, shape: OpeningShape) -> Similarity:
    """Return the similarity that maps the corners of an eye to where they are in a frame."""
    return Similarity.between(still.upper, shape.upper)


def _inpaint_eye(picture: Picture, still: OpeningShape, box: Box, scale: float) -> Picture:
    """Return the surroundings of an eye, reduced by ``scale``, with skin in place of the eye."""
    if not box:
        return np.zeros((1, 1, 3), np.uint8)
    size = max(1, round(box.size[0] * scale)), max(1, round(box.size[1] * scale))
    small = np.asarray(cv2.resize(picture[box.slices], size, interpolation=cv2.INTER_AREA), np.uint8)
    bow = still.width * ARCH * still.across * 1j
    outline = np.concatenate([still.upper - ABOVE * bow, (still.lower + BELOW * bow)[::-1]])
    corner = complex(box.x0 - 0.5, box.y0 - 0.5)
    hole = coverage([(outline - corner) * scale - complex(0.5, 0.5)], Box(0, 0, *size))
    # Pixels at the edge of the eye are a mixture of lash and skin, so they are inpainted, too.
    hidden = np.asarray(cv2.dilate(hole, np.ones((3, 3), np.uint8)), np.float32)
    skin = np.asarray(cv2.inpaint(small, (hidden > 0).astype(np.uint8), 4, cv2.INPAINT_TELEA), np.uint8)
    # Inpainting leaves streaks, which skin does not have.
    smooth = np.asarray(cv2.GaussianBlur(skin, (0, 0), max(0.5, 0.05 * still.width * scale)))
    return np.rint(blend(skin, smooth, hidden)).astype(np.uint8)


def _lash_color(picture: Picture, still: OpeningShape) -> npt.NDArray[np.float64]:
    """Return a dark color from along the edge of the upper lid."""
    edge = still.upper[SAMPLES // 5 : -(SAMPLES // 5)]
    x = np.clip(np.rint(edge.real), 0, picture.shape[1] - 1).astype(np.intp)
    y = np.clip(np.rint(edge.imag), 0, picture.shape[0] - 1).astype(np.intp)
    return np.asarray(np.percentile(picture[y, x], 25, axis=0), np.float64)
