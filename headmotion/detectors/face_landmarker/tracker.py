"""Faces of a video, frame by frame: a frame's points say where to look in the next one."""

from __future__ import annotations

import math

from ...core.interfaces.renderer import Picture
from .crops import Crop, Points
from .landmarker import Face, FaceLandmarker
from .search import FaceSearch, Mesh, Steps, distinct, length, run_together

SEARCH_EVERY = 25
"""Frames from one search for new faces to the next: a second."""
SMALLEST = 8
"""Length of a face in pixels below which it is lost: its points mean nothing."""


class LandmarkTracker:
    """Follows faces without the finder, whose work only begins a track (Kartynnik et al. 2019, section 2).

    Only the first frame of a track is checked for being a face; afterwards the mesh network's own score says whether
    the face is still there. A lost face is searched for at once, new ones every `SEARCH_EVERY` frames; where there is
    none, a search of each whole frame finds one that appears large.
    """

    def __init__(self, landmarker: FaceLandmarker, search: FaceSearch) -> None:
        self._landmarker, self._search = landmarker, search
        self.restart()

    def restart(self) -> None:
        """Forget all faces: the next frame does not follow the last one."""
        self._faces: list[Face] = []
        self._until_search = 0

    def push(self, picture: Picture) -> list[Face]:
        """Return the faces of the next frame ``uint8 [H, W, 3]`` in its pixels, the largest first."""
        (self._faces,) = run_together(self._landmarker, [(picture, self._next(picture))])
        return self._faces

    def _next(self, picture: Picture) -> Steps[list[Face]]:
        faces = yield from self._follow(picture)
        if self._until_search == 0 or len(faces) < len(self._faces):
            self._until_search = SEARCH_EVERY
            if self._search.several or not faces:
                faces += yield from self._search.search(picture, faces)
        elif not faces:
            faces = yield from self._search.glance(picture)
        self._until_search -= 1
        return distinct(faces)

    def _follow(self, picture: Picture) -> Steps[list[Face]]:
        """Return what has become of the last frame's faces, without those that are lost."""
        faces: list[Face] = yield Mesh([Crop.of_face(face.points) for face in self._faces])
        sure = (face for face in faces if face.score >= self._search.min_confidence)
        return distinct(face for face in sure if length(face.points) >= SMALLEST and _in_sight(face.points, picture))


def _in_sight(points: Points, picture: Picture) -> bool:
    """Return whether the middle of a face lies in the picture."""
    height, width = picture.shape[:2]
    x, y = points[:, :2].mean(axis=0).tolist()
    return math.isfinite(x) and 0 <= x < width and 0 <= y < height
