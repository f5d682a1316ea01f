"""Rectangles of a picture as inputs of networks, and the map from their pixels back to the picture's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from ...core.interfaces.renderer import Picture

Points = npt.NDArray[np.float32]
"""Points ``[..., 2 or 3]`` in pixels: x right, y down and, if three, depth in the same scale."""

ROOM = 1.5
"""Edge of the crop of a face, in edges of the box around the face."""
EYE_CORNERS = (33, 263)
"""The outer corners of the right and the left eye among the 478 points."""


@dataclass(frozen=True)
class Crop:
    """A rectangle with its center, edges in pixels, and a turn in radians, clockwise as the picture is seen.

    Pixel ``u`` of an input of ``edge`` pixels lies at the part ``u / edge`` of the rectangle, without a shift by half a
    pixel, because MediaPipe's networks were trained and are used in this way.
    """

    x: float
    y: float
    width: float
    """Negative for a rectangle that is seen in a mirror."""
    height: float
    angle: float = 0.0

    @classmethod
    def of_detection(cls, points: Points) -> Crop:
        """Return the crop around a detection ``[8, 2]``: box corners, then right eye, left eye and others."""
        (left, top), (right, bottom) = points[:2]
        width, height = ROOM * (right - left), ROOM * (bottom - top)
        return cls((left + right) / 2, (top + bottom) / 2, width, height, _rotation(points[2], points[3]))

    @classmethod
    def of_face(cls, points: Points) -> Crop:
        """Return the square crop around a mesh ``[478, 2 or 3]``, from which the next frame's points are found."""
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        edge = ROOM * float((high - low).max())
        x, y = (low + high) / 2
        return cls(float(x), float(y), edge, edge, _rotation(*points[list(EYE_CORNERS), :2]))

    def within(self, window: Crop) -> Crop:
        """Return this rectangle, given in parts of a square window, in pixels of the window's picture."""
        x, y = window.to_picture(np.array([self.x, self.y], np.float32), 1).tolist()
        width, height = self.width * window.width, self.height * window.height
        turn = self.angle if window.width > 0 else -self.angle
        return Crop(x, y, width, height, window.angle + turn)

    def mirrored(self) -> Crop:
        """Return the same rectangle, seen in a mirror."""
        return replace(self, width=-self.width)

    def cut(self, picture: Picture, edge: int, replicate: bool) -> Picture:
        """Return the rectangle of a picture ``uint8 [H, W, 3]`` as ``uint8 [edge, edge, 3]``.

        Args:
            picture: the picture to crop.
            edge: of the network's input.
            replicate: whether the picture's edge is continued beyond it; else it is black there.
        """
        border = cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut = cv2.warpAffine(picture, self._matrix(edge), (edge, edge), flags=flags, borderMode=border)
        return np.asarray(cut, np.uint8)

    def to_picture(self, points: Points, edge: int) -> Points:
        """Return points ``[..., 2 or 3]``, in pixels of an input of that edge, in pixels of the picture."""
        matrix = self._matrix(edge)
        flat = points[..., :2] @ matrix[:, :2].T + matrix[:, 2]
        depth = points[..., 2:] * abs(self.width) / edge
        return np.concatenate([flat, depth], axis=-1, dtype=np.float32)

    def _matrix(self, edge: int) -> npt.NDArray[np.float64]:
        """Return the affine map ``[2, 3]`` of the input's pixels to those of the picture."""
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        linear = np.array([[cosine, -sine], [sine, cosine]]) * [self.width / edge, self.height / edge]
        return np.column_stack([linear, [self.x, self.y] - linear @ [edge / 2, edge / 2]])


def _rotation(right_eye: Points, left_eye: Points) -> float:
    """Return the angle at which the eyes lie, 0 if level; the right eye is on the left of an upright face."""
    x, y = left_eye - right_eye
    return math.atan2(float(y), float(x))
