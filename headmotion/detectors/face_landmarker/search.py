"""Search of a picture for faces of every size and rotation, and the checks that reject false detections."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from ...core.interfaces.renderer import Picture
from .crops import Crop, Points
from .landmarker import Candidate, Face, FaceLandmarker

LOOK = 2.5
"""Edge of the window in which a face is looked for again, in lengths of the face."""
DOUBT = 0.04
"""Mean distance, in lengths of the face, at which two looks disagree. Seen in real faces: up to 0.021."""

T = TypeVar("T")


@dataclass(frozen=True)
class Find:
    """A request for the candidates ``list[list[Candidate]]`` in windows of the picture that is searched."""

    windows: Sequence[Crop]


@dataclass(frozen=True)
class Mesh:
    """A request for the meshes ``list[Face]`` in crops of the picture that is searched."""

    crops: Sequence[Crop]


Steps = Generator[Find | Mesh, Any, T]
"""A search that yields requests, is sent the outputs of the networks, and returns its result."""


def run_together(landmarker: FaceLandmarker, searches: Sequence[tuple[Picture, Steps[T]]]) -> list[T]:
    """Run searches of several pictures in step, so that the networks process the requests of all in one batch."""
    results: dict[int, T] = {}
    replies: dict[int, Any] = dict.fromkeys(range(len(searches)))
    while replies:
        requests: dict[int, Find | Mesh] = {}
        for number, reply in replies.items():
            try:
                requests[number] = searches[number][1].send(reply)
            except StopIteration as end:
                results[number] = end.value
        replies = {}
        for kind, run in ((Find, landmarker.find), (Mesh, landmarker.mesh)):
            queried = {number: _crops(request) for number, request in requests.items() if isinstance(request, kind)}
            if not queried:
                continue
            outputs = iter(run([(searches[number][0], crop) for number, crops in queried.items() for crop in crops]))
            replies |= {number: [next(outputs) for _ in crops] for number, crops in queried.items()}
    return [results[number] for number in range(len(searches))]


def _crops(request: Find | Mesh) -> Sequence[Crop]:
    return request.windows if isinstance(request, Find) else request.crops


@dataclass(frozen=True)
class FaceSearch:
    """Faces in pictures of any shape, each confirmed by three detections that agree.

    The finder misses faces below about a seventh of its window, so smaller windows follow the whole picture; and it
    misses faces that are sideways or upside down, so if nothing is found the windows are rotated. It also has false
    detections: a face counts if it is found again in a window of its own, and in the mirrored window.
    """

    min_confidence: float = 0.5
    """Least probability with which something counts as a face."""
    several: bool = True
    """Whether smaller faces are searched for where one was found."""

    def search(self, picture: Picture, known: Sequence[Face] = ()) -> Steps[list[Face]]:
        """Return the faces of a picture ``uint8 [H, W, 3]`` in addition to the known ones, the largest first.

        Upright faces in the whole picture and in its halves; if there are none, in its quarters; if there are none,
        rotated by a quarter turn to the left or right, or by a half.
        """
        faces = yield from self.glance(picture, known)
        for parts in (2, 4):
            if not (faces or known) or (self.several and parts == 2):
                faces += yield from self._confirmed(windows(picture, parts), [*known, *faces])
        for quarters in (1, 3, 2):
            if not (faces or known):
                turned = [*windows(picture, 1, quarters), *windows(picture, 2, quarters)]
                faces = yield from self._confirmed(turned, ())
        return distinct(faces)

    def glance(self, picture: Picture, known: Sequence[Face] = ()) -> Steps[list[Face]]:
        """Return the upright faces found in the whole picture, in addition to the known ones."""
        return (yield from self._confirmed(windows(picture, 1), known))

    def _confirmed(self, parts: Sequence[Crop], known: Sequence[Face]) -> Steps[list[Face]]:
        """Return the faces in windows of a picture that are not known and that a second detection confirms."""
        candidates: list[list[Candidate]] = yield Find(parts)
        crops = [candidate.crop for window in candidates for candidate in window]
        faces: list[Face] = yield Mesh(_distinct_crops(crops, known))
        # An upright face in the whole picture is detected as by MediaPipe; others are better in their own windows.
        whole, confirmed = len(parts) == 1 and parts[0].angle == 0, []
        for face in distinct((face for face in faces if face.score >= self.min_confidence), known):
            confirmation = yield from self._look_again(face)
            if confirmation is not None:
                confirmed.append(face if whole and _is_upright(face.points) else confirmation)
        return confirmed

    def _look_again(self, face: Face) -> Steps[Face | None]:
        """Return the face as found in a window of its own; None if that detection, or a mirrored one, disagrees.

        The finder takes some upside-down faces for upright ones. It is more confident of them the right way up, so a
        face is rejected if it is more confident of the window rotated by a half turn.
        """
        look = _window_of(face.points)
        reverse = replace(look, angle=look.angle + math.pi)
        straight, mirrored, reversed_ = yield Find([look, look.mirrored(), reverse])
        if not straight or not mirrored or (reversed_ and reversed_[0].score > straight[0].score):
            return None
        confirmation = yield from self._same(face, straight)
        if confirmation is None or (yield from self._same(confirmation, mirrored)) is None:
            return None
        return confirmation

    def _same(self, face: Face, candidates: Sequence[Candidate]) -> Steps[Face | None]:
        """Return whichever of the candidates is this face."""
        faces: list[Face] = yield Mesh([candidate.crop for candidate in candidates])
        distances = [np.linalg.norm((other.points - face.points)[:, :2], axis=-1).mean() for other in faces]
        nearest = int(np.argmin(distances))
        return None if distances[nearest] > DOUBT * length(face.points) else faces[nearest]


def windows(picture: Picture, parts: int, quarters: int = 0) -> list[Crop]:
    """Return square windows of a part of the longer edge that overlap by half, turned by so many quarter turns."""
    height, width = picture.shape[:2]
    angle, edge = quarters * math.pi / 2, max(height, width)
    if parts == 1:
        return [Crop(width / 2, height / 2, edge, edge, angle)]
    size = edge // parts
    if size < 16:
        return []
    starts = [(x, y) for y in _starts(height, size) for x in _starts(width, size)]
    return [Crop(x + size / 2, y + size / 2, size, size, angle) for x, y in starts]


def distinct(faces: Iterable[Face], known: Iterable[Face] = ()) -> list[Face]:
    """Return the faces in order of size, without those that lie on a larger or a known one."""
    retained: list[Face] = []
    known = list(known)
    for face in sorted(faces, key=lambda face: _area(face.points), reverse=True):
        middle = _middle(face.points)
        if not any(math.dist(middle, _middle(other)) <= length(other) / 2 for other, _ in (*known, *retained)):
            retained.append(face)
    return retained


def length(face: Points) -> float:
    """Return the longer edge in pixels of the box around a face ``[P, 2 or 3]``."""
    return float(np.ptp(face[:, :2], axis=0).max())


def _window_of(face: Points) -> Crop:
    """Return a window of its own for a face, turned as the face."""
    crop = Crop.of_face(face)
    edge = LOOK * length(face)
    return Crop(crop.x, crop.y, edge, edge, crop.angle)


def _is_upright(face: Points) -> bool:
    return abs(Crop.of_face(face).angle) < math.pi / 4


def _distinct_crops(crops: Iterable[Crop], known: Iterable[Face]) -> list[Crop]:
    """Return the crops without those in the middle of a known face or a larger crop: windows overlap."""
    held = [Crop.of_face(face.points) for face in known]
    retained: list[Crop] = []
    for crop in sorted(crops, key=lambda crop: crop.height, reverse=True):
        if all(math.dist((crop.x, crop.y), (other.x, other.y)) > other.height / 4 for other in (*held, *retained)):
            retained.append(crop)
    return retained


def _starts(total: int, size: int) -> Iterator[int]:
    """Yield where windows of a size begin so that they cover a length and overlap by half or more."""
    beyond = max(0, total - size)
    steps = math.ceil(2 * beyond / size)
    return (round(beyond * k / max(steps, 1)) for k in range(steps + 1))


def _middle(face: Points) -> Points:
    return np.asarray((face[:, :2].min(axis=0) + face[:, :2].max(axis=0)) / 2, np.float32)


def _area(face: Points) -> float:
    return float(np.ptp(face[:, :2], axis=0).prod())
