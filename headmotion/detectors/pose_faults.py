"""Reasons for which a pose is a poor reference."""

from __future__ import annotations

import math

from torch import Tensor

from ..core.interfaces.representation import Representation

UPRIGHT_DEG = 60
"""Roll of a face (degrees, to either side) above which a warning says that it is not upright."""
MIN_SIZE_PX = 32
"""Distance of the outer eye corners (px) below which a face has too little detail."""


def faults(pose: Tensor, representation: Representation, height: int, width: int) -> list[str]:
    """Return the reasons for which a pose is a poor reference, one sentence each.

    Args:
        pose: points ``[P, 2 or 3]``, in pixels of the picture.
        representation: what the pose is.
        height: of the picture (px).
        width: of the picture (px).
    """
    points = representation.to_points2d(pose)
    first, second = (points[index] for index in representation.scale_pair)
    size = float((second - first).norm())
    outside = int(((points < 0) | (points > points.new_tensor([width, height]))).any(dim=1).sum())
    reasons = []
    if size < MIN_SIZE_PX:
        reasons.append(f"the face is small ({size:.0f} px between the outer eye corners): expect little detail")
    if "nose_bridge_3" in representation.point_names:
        tip = points[representation.point_names.index("nose_bridge_3")]
        sideways = abs(float((tip - (first + second) / 2) @ (second - first)))
        if sideways > size**2 / 2:  # the tip of the nose is beyond an eye: a yaw of 45 degrees or more
            reasons.append("the face is seen nearly in profile: its far side is a guess")
        roll = abs(math.degrees(math.atan2(*(second - first).flip(0).tolist())))
        if roll > UPRIGHT_DEG:
            reasons.append(f"the face is turned by {roll:.0f} degrees: turn the picture upright")
    if outside:
        reasons.append(f"{outside} of {representation.points} points lie outside the picture: the face is cut off")
    return reasons
