"""Faces of single frames, linked to tracks: one person over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Poses = npt.NDArray[np.float32]
"""Poses ``[N, P, D]`` in pixels; one is ``[P, D]``."""

LEAST_OVERLAP = 0.3
"""Intersection over union of two boxes from which they hold the same face."""


@dataclass(frozen=True)
class Track:
    """One face in consecutive frames."""

    first: int
    """The frame in which it begins."""
    poses: Poses
    """``[T, P, D]``."""
    pictures: npt.NDArray[np.int64]
    """Number of the picture ``[T]`` that each frame showed."""
    seen: npt.NDArray[np.bool_]
    """Whether ``[T]`` the face was found; elsewhere it was filled in."""


@dataclass(eq=False)
class _Live:
    first: int
    poses: list[Poses]
    pictures: list[int]
    seen: list[bool] = field(default_factory=lambda: [True])
    missed: list[int] = field(default_factory=list)
    """Pictures since the face was last found."""


class Linker:
    """Links the faces of consecutive frames by the overlap of their boxes; what has ended comes out.

    Args:
        gap: so many frames without the face, or fewer, are filled in linearly.
        longest: greatest length of a track in frames; a longer one comes out in parts.
        least: no part is shorter, unless the whole is; at most half of ``longest``.
    """

    def __init__(self, gap: int, longest: int, least: int) -> None:
        self.gap, self.longest, self.least = gap, longest, least
        self._live: list[_Live] = []

    @property
    def oldest(self) -> int | None:
        """The first frame of all tracks that have not come out; None if there are none."""
        return min((live.first for live in self._live), default=None)

    def push(self, index: int, picture: int, faces: Poses) -> list[Track]:
        """The faces ``[N, P, D]`` of the next frame in, tracks that end without it, and full ones, out."""
        pairs = _pairs([live.poses[-1] for live in self._live], faces)
        ended = []
        for number, live in enumerate(self._live):
            if number in pairs:
                _extend(live, faces[pairs[number]], picture)
            elif len(live.missed) < self.gap:
                live.missed.append(picture)
            else:
                ended.append(live)
        self._live = [live for live in self._live if live not in ended]
        done = [part for live in ended for part in self._parts(live)]
        done += [self._full(live) for live in self._live if len(live.poses) >= self.longest + self.least]
        new = (face for number, face in enumerate(faces) if number not in pairs.values())
        self._live += [_Live(index, [face], [picture]) for face in new]
        return done

    def cut(self) -> list[Track]:
        """End all tracks: a shot is over."""
        live, self._live = self._live, []
        return [part for each in live for part in self._parts(each)]

    def _full(self, live: _Live) -> Track:
        """The first ``longest`` frames, of which at least ``least`` are left."""
        head = _track(live, slice(0, self.longest))
        live.first += self.longest
        for values in (live.poses, live.pictures, live.seen):
            del values[: self.longest]
        return head

    def _parts(self, live: _Live) -> list[Track]:
        count = -(-len(live.poses) // self.longest)
        bounds = [len(live.poses) * k // count for k in range(count + 1)]
        return [_track(live, slice(a, b)) for a, b in pairwise(bounds)]


def boxes(faces: Poses) -> npt.NDArray[np.float32]:
    """The boxes ``[..., 4]`` (left, top, right, bottom) around poses ``[..., P, D]``."""
    flat = faces[..., :2]
    return np.concatenate([flat.min(axis=-2), flat.max(axis=-2)], axis=-1)


def _extend(live: _Live, face: Poses, picture: int) -> None:
    before, steps = live.poses[-1], len(live.missed) + 1
    live.poses += [before + (face - before) * np.float32(k / steps) for k in range(1, steps)]
    live.poses.append(face)
    live.pictures += [*live.missed, picture]
    live.seen += [False] * len(live.missed) + [True]
    live.missed = []


def _track(live: _Live, part: slice) -> Track:
    poses, pictures, seen = live.poses[part], live.pictures[part], live.seen[part]
    return Track(live.first + part.start, np.stack(poses), np.array(pictures), np.array(seen))


def _pairs(known: list[Poses], faces: Poses) -> dict[int, int]:
    """Which of ``faces`` continues which of ``known``, the greatest overlap first."""
    if not known or not len(faces):
        return {}
    overlap = _overlaps(boxes(np.stack(known)), boxes(faces))
    pairs: dict[int, int] = {}
    for flat in np.argsort(-overlap, axis=None, kind="stable"):
        one, other = map(int, np.unravel_index(flat, overlap.shape))
        if overlap[one, other] < LEAST_OVERLAP:
            break
        if one not in pairs and other not in pairs.values():
            pairs[one] = other
    return pairs


def _overlaps(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Intersection over union ``[N, M]`` of boxes ``[N, 4]`` and ``[M, 4]``."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = [(each[:, 2:] - each[:, :2]).prod(axis=-1) for each in (a, b)]
    return np.asarray(shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-6), np.float32)
