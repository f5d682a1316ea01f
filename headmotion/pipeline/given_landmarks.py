"""Landmarks that a user gives for a picture: a warning if they are not those of the face in it."""

from __future__ import annotations

import logging
from pathlib import Path

from torch import Tensor

from ..core.interfaces.representation import Representation, SupportsPoints2D, has_place
from ..media.image import read_reduced, reduce_poses

LOOK_EDGE = 640
"""Longer edge (px) from which a picture is reduced for the look, to half of it at least."""
_log = logging.getLogger("headmotion")


def warn_if_elsewhere(path: Path, pose: Tensor, representation: Representation) -> None:
    """Warn if a picture shows an upright face, and landmarks given for it lie somewhere else.

    Args:
        path: the picture.
        pose: the landmarks ``[P, D]``, in pixels of the picture.
        representation: of the landmarks; one without a place in the picture, or without lips, is not asked.

    Raises:
        ImageError: not a picture, or damaged.
    """
    if not (isinstance(representation, SupportsPoints2D) and has_place(representation)):
        return
    if not representation.groups.get("lips"):
        return
    from ..detectors.faces_elsewhere import faces_elsewhere, place  # slow to import

    picture, factor = read_reduced(path, LOOK_EDGE)
    points = representation.to_points2d(reduce_poses(pose, factor, representation)).numpy()
    if faces := faces_elsewhere(picture, points):
        found, own = " and ".join(_text(face, factor) for face in faces), _text(place(points), factor)
        _log.warning("the picture has a face %s, and the landmarks are %s: are they those of this picture?", found, own)


def _text(place: tuple[float, float, float], factor: int) -> str:
    """Return a place in the reduced picture as text, in pixels of the whole one."""
    x, y = ((value + 0.5) * factor - 0.5 for value in place[:2])
    return f"{place[2] * factor:.0f} px large at ({x:.0f}, {y:.0f})"
