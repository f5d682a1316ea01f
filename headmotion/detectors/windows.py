"""Search of a picture for faces of every size, with a network that sees only large ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from ..core.renderer import Picture

Points = npt.NDArray[np.float32]
"""Faces ``[N, K, 3]`` in pixels."""

ROOM = 2.5
"""Edge of the square in which a face that a part showed is looked at again, in lengths of the face."""


def search(picture: Picture, find: Callable[[Picture], Points]) -> Points:
    """All faces ``[N, K, 3]`` of a picture, the largest first: in the whole of it, else in halves, else in quarters.

    MediaPipe's short-range network misses faces below about a seventh of the picture, and its legacy graph distorts
    faces in pictures that are not square; ``find`` therefore only sees squares.
    """
    height, width = picture.shape[:2]
    edge = max(height, width)
    faces = _at(picture, find, 0, 0, edge)
    for parts in (2, 4):
        if len(faces) or edge < 2 * parts:
            break
        faces = _in_parts(picture, find, math.ceil(edge / parts))
    return distinct(faces)


def distinct(faces: Points) -> Points:
    """The faces in order of size, without those that lie on a larger one."""
    kept: list[Points] = []
    for face in sorted(faces, key=_area, reverse=True):
        if all(math.dist(_middle(face), _middle(other)) > _length(other) / 2 for other in kept):
            kept.append(face)
    return np.stack(kept) if kept else faces[:0]


def _in_parts(picture: Picture, find: Callable[[Picture], Points], size: int) -> Points:
    """A part may cut a face off, so every face found in one is looked at again in the middle of a square of its own."""
    height, width = picture.shape[:2]
    seen = [_at(picture, find, x, y, size) for y in _starts(height, size) for x in _starts(width, size)]
    again = []
    for face in distinct(np.concatenate(seen)):
        room = math.ceil(ROOM * _length(face))
        x, y = _middle(face) - room / 2
        again.append(_at(picture, find, round(x), round(y), room))
    return np.concatenate(again) if again else seen[0][:0]


def _starts(length: int, size: int) -> Iterator[int]:
    """Where parts begin that overlap by half or more and cover the length."""
    beyond = max(0, length - size)
    steps = math.ceil(2 * beyond / size)
    return (round(beyond * k / max(steps, 1)) for k in range(steps + 1))


def _at(picture: Picture, find: Callable[[Picture], Points], x: int, y: int, size: int) -> Points:
    """Faces within a square of the picture, whose edge is continued where the square leaves it."""
    height, width = picture.shape[:2]
    rows, columns = np.arange(y, y + size).clip(0, height - 1), np.arange(x, x + size).clip(0, width - 1)
    return find(np.ascontiguousarray(picture[rows][:, columns])) + np.array([x, y, 0], np.float32)


def _middle(face: Points) -> npt.NDArray[np.float32]:
    low, high = face[:, :2].min(axis=0), face[:, :2].max(axis=0)
    return np.asarray((low + high) / 2, np.float32)


def _length(face: Points) -> float:
    return float(np.ptp(face[:, :2], axis=0).max())


def _area(face: Points) -> float:
    return float(np.ptp(face[:, :2], axis=0).prod())
