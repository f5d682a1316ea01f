"""Faces of single frames, linked over time: one track per person."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Poses = npt.NDArray[np.float32]
"""Poses ``[N, P, D]`` in pixels; a single one is ``[P, D]``."""
Labels = npt.NDArray[np.float32]
"""What a detector measures besides the points ``[N, L]``; of a single face ``[L]``; ``L`` is 0 if it is nothing."""

MIN_OVERLAP = 0.3
"""Intersection over union of two boxes from which they belong to the same face."""


@dataclass(frozen=True)
class FaceTrack:
    """One face in ``T`` consecutive frames."""

    first_frame: int
    poses: Poses
    """``[T, P, D]`` in pixels."""
    picture_numbers: npt.NDArray[np.int64]
    """``[T]``: the picture of the video that each frame showed."""
    detected: npt.NDArray[np.bool_]
    """``[T]``: whether the face was detected; elsewhere it was interpolated."""
    labels: Labels
    """``[T, L]``."""


@dataclass(eq=False)
class _OpenTrack:
    """A track that may go on."""

    first_frame: int
    poses: list[Poses]
    labels: list[Labels]
    picture_numbers: list[int]
    detected: list[bool] = field(default_factory=lambda: [True])
    missed: list[int] = field(default_factory=list)
    """Picture numbers of the frames since the face was last detected."""

    def extend(self, face: Poses, labels: Labels, picture_number: int) -> None:
        """Append a detection, and before it the interpolated frames of the gap."""
        steps = len(self.missed) + 1
        for values, new in ((self.poses, face), (self.labels, labels)):
            last = values[-1]
            # float32, because a Python float would make the poses float64.
            values += [last + (new - last) * np.float32(k / steps) for k in range(1, steps)]
            values.append(new)
        self.picture_numbers += [*self.missed, picture_number]
        self.detected += [False] * len(self.missed) + [True]
        self.missed = []

    def section(self, start: int, stop: int) -> FaceTrack:
        """Return frames ``start`` to ``stop`` as a track of its own."""
        part = slice(start, stop)
        poses, labels = np.stack(self.poses[part]), np.stack(self.labels[part])
        numbers, detected = np.array(self.picture_numbers[part]), np.array(self.detected[part])
        return FaceTrack(self.first_frame + start, poses, numbers, detected, labels)

    def drop_first(self, count: int) -> None:
        """Remove the first frames."""
        self.first_frame += count
        for values in (self.poses, self.labels, self.picture_numbers, self.detected):
            del values[:count]


class FaceTracker:
    """Links the faces of consecutive frames by the overlap of their boxes, and returns tracks as they end.

    Args:
        gap_frames: greatest number of consecutive frames without the face that are interpolated.
        max_frames: greatest length of a track; a longer one is returned in parts.
        min_frames: least length of a part, unless the whole track is shorter; at most half of ``max_frames``.
    """

    def __init__(self, gap_frames: int, max_frames: int, min_frames: int) -> None:
        self.gap_frames, self.max_frames, self.min_frames = gap_frames, max_frames, min_frames
        self._open: list[_OpenTrack] = []

    @property
    def oldest_frame(self) -> int | None:
        """First frame of all open tracks; None if there are none."""
        return min((track.first_frame for track in self._open), default=None)

    def push(self, frame: int, picture_number: int, faces: Poses, labels: Labels | None = None) -> list[FaceTrack]:
        """Add the faces of the next frame.

        Args:
            frame: index of the frame.
            picture_number: the picture that the frame shows.
            faces: ``[N, P, D]`` in pixels.
            labels: ``[N, L]``; None if there are none.

        Returns:
            The tracks that ended before this frame, and parts of tracks that have become too long.
        """
        if labels is None:
            labels = np.zeros((len(faces), 0), np.float32)
        matches = _match([track.poses[-1] for track in self._open], faces)
        ended = []
        for number, track in enumerate(self._open):
            if number in matches:
                track.extend(faces[matches[number]], labels[matches[number]], picture_number)
            elif len(track.missed) < self.gap_frames:
                track.missed.append(picture_number)
            else:
                ended.append(track)
        self._open = [track for track in self._open if track not in ended]
        result = [part for track in ended for part in self._divide(track)]
        for track in self._open:
            # Only when enough is left for a part of its own.
            if len(track.poses) >= self.max_frames + self.min_frames:
                result.append(track.section(0, self.max_frames))
                track.drop_first(self.max_frames)
        new = [number for number in range(len(faces)) if number not in matches.values()]
        self._open += [_OpenTrack(frame, [faces[number]], [labels[number]], [picture_number]) for number in new]
        return result

    def flush(self) -> list[FaceTrack]:
        """End all tracks, as at the end of a shot, and return them."""
        ended, self._open = self._open, []
        return [part for track in ended for part in self._divide(track)]

    def _divide(self, track: _OpenTrack) -> list[FaceTrack]:
        """Divide a track evenly into as few parts as possible."""
        length = len(track.poses)
        count = -(-length // self.max_frames)
        bounds = [length * k // count for k in range(count + 1)]
        return [track.section(start, stop) for start, stop in pairwise(bounds)]


def bounding_boxes(poses: Poses) -> npt.NDArray[np.float32]:
    """Return the boxes ``[..., 4]`` (left, top, right, bottom) around poses ``[..., P, D]``."""
    points = poses[..., :2]
    return np.concatenate([points.min(axis=-2), points.max(axis=-2)], axis=-1)


def _match(last_poses: list[Poses], faces: Poses) -> dict[int, int]:
    """Match the last poses of open tracks with the faces ``[N, P, D]`` of a frame, the greatest overlap first."""
    if not last_poses or not len(faces):
        return {}
    overlaps = _intersection_over_union(bounding_boxes(np.stack(last_poses)), bounding_boxes(faces))
    matches: dict[int, int] = {}
    # Stable, so that ties are decided in the same way on every machine.
    for flat_index in np.argsort(-overlaps, axis=None, kind="stable"):
        track, face = map(int, np.unravel_index(flat_index, overlaps.shape))
        if overlaps[track, face] < MIN_OVERLAP:
            break
        if track not in matches and face not in matches.values():
            matches[track] = face
    return matches


def _intersection_over_union(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the overlaps ``[N, M]``, 0..1, of boxes ``[N, 4]`` and ``[M, 4]``."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=-1) for boxes in (a, b))
    return np.asarray(shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-6), np.float32)
