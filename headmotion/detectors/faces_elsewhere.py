"""Whether landmarks that a user gives for a picture lie on a face of it, as far as one look at the picture tells."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from ..core.interfaces.renderer import Picture
from ..representations.specs import Mesh478Spec
from .face_landmarker.landmarker import FaceLandmarker
from .face_landmarker.search import FaceSearch, length, run_together
from .face_landmarker.weights import shared_networks

MAX_SIZES = 2.5
"""Ratio of the sizes of a face in the picture and of the landmarks up to which they may be the same."""


Place = tuple[float, float, float]
"""Middle of the box around a face, x and y, and its longer edge (px)."""


def faces_elsewhere(picture: Picture, points: npt.NDArray[np.float32]) -> list[Place]:
    """Return the faces of a picture if none of them is where the landmarks are; else none.

    Only upright faces are found whose size is at least a seventh of the picture's: a full search may take seconds,
    and landmarks are often given because it finds nothing. The look takes a fifth of a second.

    Args:
        picture: ``uint8 [H, W, 3]``, best of at most a thousand pixels.
        points: landmarks ``[P, 2]`` in its pixels.
    """
    landmarker = FaceLandmarker(shared_networks(torch.device("cpu")), Mesh478Spec().build().mirror)
    (faces,) = run_together(landmarker, [(picture, FaceSearch().glance(picture))])
    places, own = [place(face.points[:, :2]) for face in faces], place(points)
    return [] if any(_are_same(face, own) for face in places) else places


def place(points: npt.NDArray[np.float32]) -> Place:
    """Return where points ``[P, 2]`` are."""
    x, y = (points.min(axis=0) + points.max(axis=0)) / 2
    return float(x), float(y), length(points)


def _are_same(face: Place, own: Place) -> bool:
    ratio = face[2] / max(own[2], 1e-6)
    return math.dist(face[:2], own[:2]) <= face[2] / 2 and 1 / MAX_SIZES <= ratio <= MAX_SIZES
