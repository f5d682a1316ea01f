"""Whether a pose is that of the face in a picture, as far as its points alone tell; no detector is asked."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ..core.errors import ImageError
from ..core.interfaces.representation import Representation, SupportsPoints2D
from ..geometry.complex_points import ComplexPoints, as_complex
from ..geometry.rigid_fit import fit_plane_similarity

MAX_OUTSIDE = 0.25
"""Largest share of a face's points that may lie outside: chins are often cut off."""
NO_FACE_PX = 1
"""Longer edge of a face (px) up to which its points are no pixels, but parts of the picture (0..1)."""
MIRRORED = 0.5
"""Distance from the mirrored neutral face, in that from the neutral face, below which points are mirrored."""


def outside_of_picture(representation: Representation, pose: Tensor, height: int, width: int) -> str:
    """Say how many points of a face lie outside of a picture, if they are too many; else an empty text.

    Args:
        representation: of the pose; one without lips in the picture is not asked.
        pose: ``[P, D]``, in pixels of the picture.
        height: of the picture (px).
        width: of the picture (px).
    """
    if not isinstance(representation, SupportsPoints2D) or not representation.groups.get("lips"):
        return ""
    return outside_points(representation.to_points2d(pose), height, width)


def outside_points(points: Tensor, height: int, width: int) -> str:
    """Say how many points ``[P, 2]`` (px) of a face lie outside of a picture, if too many; else an empty text."""
    outside = int(((points < 0) | (points > points.new_tensor([width, height]))).any(dim=-1).sum())
    if outside <= MAX_OUTSIDE * len(points):
        return ""
    return f"{outside} of {len(points)} points outside of {width} x {height} pixels"


def check_size(name: str, points: ComplexPoints) -> None:
    """Refuse points ``[P]`` of a face that are no pixels; points that are all in one place pass.

    Raises:
        ImageError: the face is a pixel large at most.
    """
    if 0 < (edge := max(np.ptp(points.real), np.ptp(points.imag))) <= NO_FACE_PX:
        remedy = "multiply points in parts of the picture (0..1) by its width and height"
        raise ImageError(name, "the face's points in pixels of the picture", f"a face of {edge:.2g} pixels", remedy)


def is_mirrored(representation: Representation, points: ComplexPoints) -> bool:
    """Return whether the points ``[P]`` of a face are those of its mirror image: y runs up, or x and y are swapped.

    Seen from in front and from the side, however it is turned in the picture, a face is never mirrored.
    """
    neutral = as_complex(representation.to_points2d(representation.neutral()).double().numpy())
    direct, mirrored = (_distance(source, points) for source in (neutral, neutral.conj()))
    return mirrored < MIRRORED * direct


def _distance(source: ComplexPoints, target: ComplexPoints) -> float:
    """Return how far target points are from the most similar image of the source."""
    factor, shift = fit_plane_similarity(source, target)
    return float(np.linalg.norm(factor * source + shift - target))
