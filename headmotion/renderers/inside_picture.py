"""Whether a face lies inside of a picture: asked of photographs that are animated, and of clips that are trained on."""

from __future__ import annotations

from torch import Tensor

from ..core.interfaces.representation import Representation, SupportsPoints2D

MAX_OUTSIDE = 0.25
"""Largest share of a face's points that may lie outside: chins are often cut off."""


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
    points = representation.to_points2d(pose)
    outside = int(((points < 0) | (points > points.new_tensor([width, height]))).any(dim=-1).sum())
    if outside <= MAX_OUTSIDE * len(points):
        return ""
    return f"{outside} of {len(points)} points outside of {width} x {height} pixels"
