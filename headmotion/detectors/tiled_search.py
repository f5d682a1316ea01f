"""Search of a picture for faces of every size, with a network that sees only large ones and some that are none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..core.interfaces.renderer import Picture

Points = npt.NDArray[np.float32]
"""Faces ``[N, P, 3]``, or one ``[P, 3]``, in pixels."""

ROOM = 2.5
"""Edge of the square in which a face is looked at again, in lengths of the face."""
DOUBT = 0.06
"""Mean distance, in lengths of the face, at which two looks disagree. Seen in real faces: up to 0.05; in none: 0.1."""


@dataclass(frozen=True)
class Search:
    """Faces in pictures of any shape, found in squares by ``find: [S, S, 3] -> [N, P, 3]``.

    MediaPipe's short-range network misses faces below about a seventh of the picture, and its legacy graph distorts
    tilted faces in pictures that are not square.
    """

    find: Callable[[Picture], Points]
    mirror: Sequence[int]
    """Point ``i`` of a mirrored face is point ``mirror[i]`` of the face."""
    several: bool = True
    """Whether smaller faces are wanted where one was found."""

    def __call__(self, picture: Picture) -> list[Points]:
        """All faces ``[P, 3]``, the largest first: of the whole picture and its halves, else of its quarters."""
        edge = max(picture.shape[:2])
        looks = [(face, self.again(picture, face)) for face in distinct(self.find(_square(picture, 0, 0, edge)))]
        found = [face for face, seen in looks if seen is not None]
        for parts in (2, 4):
            if edge < 16 * parts or (found and (parts == 4 or not self.several)):
                break
            new = [face for face in distinct(self.in_parts(picture, edge // parts)) if not _on(face, found)]
            # A part may cut a face off: the second look, from the face's own middle, is the better one.
            found += [seen for face in new if (seen := self.again(picture, face)) is not None]
        return distinct(found)

    def in_parts(self, picture: Picture, size: int) -> Points:
        """Faces ``[N, P, 3]`` in squares of a size that overlap by half; one may be found several times."""
        height, width = picture.shape[:2]
        corners = [(x, y) for y in _starts(height, size) for x in _starts(width, size)]
        return np.concatenate([_moved(self.find(_square(picture, x, y, size)), x, y) for x, y in corners])

    def again(self, picture: Picture, face: Points) -> Points | None:
        """The face ``[P, 3]`` as seen in the middle of a square; None where that look or a mirrored one disagrees."""
        room = math.ceil(ROOM * _length(face))
        x, y = (round(float(each)) for each in _middle(face) - room / 2)
        square = _square(picture, x, y, room)
        straight = _moved(self.find(square), x, y)
        turned = self.find(np.ascontiguousarray(square[:, ::-1]))[:, list(self.mirror)]
        mirrored = _moved(turned * np.array([-1, 1, 1], np.float32), x + room, y)
        seen = _same(face, straight)
        return None if seen is None or _same(seen, mirrored) is None else seen


def distinct(faces: Iterable[Points]) -> list[Points]:
    """The faces in order of size, without those that lie on a larger one."""
    kept: list[Points] = []
    for face in sorted(faces, key=_area, reverse=True):
        if not _on(face, kept):
            kept.append(face)
    return kept


def _on(face: Points, others: Iterable[Points]) -> bool:
    return any(math.dist(_middle(face), _middle(other)) <= _length(other) / 2 for other in others)


def _same(face: Points, others: Points) -> Points | None:
    """Whichever of ``others`` is this face."""
    far = [float(np.linalg.norm((other - face)[:, :2], axis=1).mean()) for other in others]
    best = min(range(len(far)), key=far.__getitem__, default=None)
    return None if best is None or far[best] > DOUBT * _length(face) else others[best]


def _starts(length: int, size: int) -> list[int]:
    beyond = max(0, length - size)
    steps = math.ceil(2 * beyond / size)
    return [round(beyond * k / max(steps, 1)) for k in range(steps + 1)]


def _square(picture: Picture, x: int, y: int, size: int) -> Picture:
    """A square of the picture, whose edge is continued where the square leaves it."""
    height, width = picture.shape[:2]
    rows, columns = np.arange(y, y + size).clip(0, height - 1), np.arange(x, x + size).clip(0, width - 1)
    return np.ascontiguousarray(picture[rows][:, columns])


def _moved(faces: Points, x: float, y: float) -> Points:
    return faces + np.array([x, y, 0], np.float32)


def _middle(face: Points) -> Points:
    return np.asarray((face[:, :2].min(axis=0) + face[:, :2].max(axis=0)) / 2, np.float32)


def _length(face: Points) -> float:
    return float(np.ptp(face[:, :2], axis=0).max())


def _area(face: Points) -> float:
    return float(np.ptp(face[:, :2], axis=0).prod())
