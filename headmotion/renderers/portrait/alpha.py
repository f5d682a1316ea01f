"""Pictures whose background has been made transparent."""

from __future__ import annotations

import cv2
import numpy as np

from ...core.interfaces.renderer import Picture

FAINT = 8
"""Below this opacity (0..255) a pixel's own color is not to be relied on."""


def spread_colors(picture: Picture) -> Picture:
    """A picture ``[H, W, 4]`` in which transparent pixels have the color of the nearest visible one.

    What programs store there is often black or white, which would be drawn into the edges where the picture is warped.
    """
    hidden = (picture[..., 3] < FAINT).astype(np.uint8)
    if not hidden.any() or hidden.all():
        return picture
    _, nearest = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    spread = picture.copy()
    # Labels count the visible pixels from 1, in the order of rows.
    spread[..., :3] = picture[hidden == 0][:, :3][nearest - 1]
    return spread
