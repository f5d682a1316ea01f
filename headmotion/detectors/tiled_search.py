"""Search of a picture for faces of every size, with a network that misses small faces and may find false ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..core.interfaces.renderer import Picture

Points = npt.NDArray[np.float32]
"""Faces ``[N, P, 3]``, or one ``[P, 3]``, in pixels."""

MARGIN = 2.5
"""Edge of the square in which a detection is verified, in lengths of the face."""
TOLERANCE = 0.06
"""Mean distance, in lengths of the face, above which two detections disagree. Real faces: up to 0.05; others: 0.1."""


@dataclass(frozen=True)
class TiledSearch:
    """Detection of faces in pictures of any shape by a function of squares, ``find: [S, S, 3] -> [N, P, 3]``.

    MediaPipe's short-range network misses faces below about a seventh of the picture, and its legacy graph distorts
    tilted faces in pictures that are not square.
    """

    find: Callable[[Picture], Points]
    """Detection in a square picture."""
    mirror: Sequence[int]
    """Point ``i`` of a mirrored face is point ``mirror[i]`` of the original."""
    several: bool = True
    """Whether to search for smaller faces after one was found."""

    def __call__(self, picture: Picture) -> list[Points]:
        """Return all faces ``[P, 3]``, the largest first: of the picture and its halves, or else of its quarters."""
        edge = max(picture.shape[:2])
        detections = distinct(self.find(_square(picture, 0, 0, edge)))
        faces = [face for face in detections if self.verify(picture, face) is not None]
        for divisor in (2, 4):
            if edge < 16 * divisor or (faces and (divisor == 4 or not self.several)):
                break
            detections = distinct(self.find_in_tiles(picture, edge // divisor))
            new = [face for face in detections if not _overlaps(face, faces)]
            # A tile may cut a face off, so the detection in a square around the face is the better one.
            faces += [verified for face in new if (verified := self.verify(picture, face)) is not None]
        return distinct(faces)

    def find_in_tiles(self, picture: Picture, size: int) -> Points:
        """Return faces ``[N, P, 3]`` in squares of ``size`` px that overlap by half; a face may occur several times."""
        height, width = picture.shape[:2]
        corners = [(x, y) for y in _starts(height, size) for x in _starts(width, size)]
        return np.concatenate([_shift(self.find(_square(picture, x, y, size)), x, y) for x, y in corners])

    def verify(self, picture: Picture, face: Points) -> Points | None:
        """Detect a face again in a square around it, which gives better points.

        Returns:
            The face ``[P, 3]``; None if that detection, or one in the mirrored square, disagrees.
        """
        edge = math.ceil(MARGIN * _length(face))
        x, y = (round(float(corner)) for corner in _center(face) - edge / 2)
        square = _square(picture, x, y, edge)
        repeated = _shift(self.find(square), x, y)
        flipped = self.find(np.ascontiguousarray(square[:, ::-1]))[:, list(self.mirror)]
        mirrored = _shift(flipped * np.array([-1, 1, 1], np.float32), x + edge, y)
        match = _match(face, repeated)
        return None if match is None or _match(match, mirrored) is None else match


def distinct(faces: Iterable[Points]) -> list[Points]:
    """Return the faces in order of size, without those that overlap a larger one."""
    retained: list[Points] = []
    for face in sorted(faces, key=_area, reverse=True):
        if not _overlaps(face, retained):
            retained.append(face)
    return retained


def _overlaps(face: Points, others: Iterable[Points]) -> bool:
    return any(math.dist(_center(face), _center(other)) <= _length(other) / 2 for other in others)


def _match(face: Points, others: Points) -> Points | None:
    """Return the one of ``others`` that is this face, if any."""
    distances = [float(np.linalg.norm((other - face)[:, :2], axis=1).mean()) for other in others]
    nearest = min(range(len(distances)), key=distances.__getitem__, default=None)
    return None if nearest is None or distances[nearest] > TOLERANCE * _length(face) else others[nearest]


def _starts(length: int, size: int) -> list[int]:
    """Return the starts of tiles that cover a length and overlap by half or more."""
    last = max(0, length - size)
    steps = math.ceil(2 * last / size)
    return [round(last * k / max(steps, 1)) for k in range(steps + 1)]


def _square(picture: Picture, x: int, y: int, size: int) -> Picture:
    """Return a square of the picture; beyond the picture its edge pixels are repeated."""
    height, width = picture.shape[:2]
    rows, columns = np.arange(y, y + size).clip(0, height - 1), np.arange(x, x + size).clip(0, width - 1)
    return np.ascontiguousarray(picture[rows][:, columns])


def _shift(faces: Points, x: float, y: float) -> Points:
    return faces + np.array([x, y, 0], np.float32)


def _center(face: Points) -> Points:
    return np.asarray((face[:, :2].min(axis=0) + face[:, :2].max(axis=0)) / 2, np.float32)


def _length(face: Points) -> float:
    return float(np.ptp(face[:, :2], axis=0).max())


def _area(face: Points) -> float:
    return float(np.ptp(face[:, :2], axis=0).prod())
