"""Conversions between 68 landmarks and ARKit's blend shapes: a small linear basis, and estimates from distances.

Lengths are in distances of the outer eye corners. The constants are round numbers, chosen so that the estimates recover
what the basis has applied; neither direction is fitted to ARKit's own meshes.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from .blendshapes import NAMES
from .landmarks68 import CONTOURS, MIRROR, OPENINGS, PARTS

JAW_OPENING = 0.45
"""Opening of the mouth at jawOpen 1."""
PUCKER_NARROWING, STRETCH_WIDENING = 0.35, 0.25
"""Share of the mouth's width that mouthPucker takes away and mouthStretch adds, at 1."""
LID_CLOSURE = 0.95
"""Share of the eye's opening that eyeBlink takes away at 1; less than 1 because lids have a thickness."""
MOUTH_HALF_WIDTH = 0.2955
"""Of the neutral face, whose width the estimates compare."""

UPPER_LIP, LOWER_LIP = (49, 50, 51, 52, 53, 61, 62, 63), (55, 56, 57, 58, 59, 65, 66, 67)
LEFT_CORNER, RIGHT_CORNER = (54, 64), (48, 60)
MOUTH = (*PARTS["outer_lips"], *PARTS["inner_lips"])
JAW = tuple(range(3, 14))


def blendshapes_to_landmarks(values: Tensor, face: Tensor) -> Tensor:
    """Return landmarks ``[..., 68, 2]`` of a face that is deformed by blend shapes.

    Args:
        values: ``[..., 52]``, 0 to 1.
        face: the resting face ``[68, 2]``, frontal, in any unit of length.
    """
    return face + torch.einsum("...s,spd->...pd", values, landmark_basis(face).to(values))


def landmark_basis(face: Tensor) -> Tensor:
    """Return the displacements ``[52, 68, 2]`` of a resting face ``[68, 2]`` by each shape at 1."""
    eye_distance: Tensor = (face[45] - face[36]).norm()
    return _basis().to(face) * eye_distance + _lid_basis(face)


def landmarks_to_blendshapes(poses: Tensor, resting_pose: Tensor) -> Tensor:
    """Estimate the blend shapes ``[..., 52, 1]`` of landmarks from how distances differ from those at rest.

    Distances are compared within each frame, so size and roll of the head do not matter; pitch and yaw do.

    Args:
        poses: ``[..., 68, 2]``, in any unit of length.
        resting_pose: ``[68, 2]``.
    """
    values = poses.new_zeros(*poses.shape[:-2], len(NAMES))
    both = (poses, resting_pose)
    opening, resting_opening = (_opening(pose, "mouth") / _distance(pose, 36, 45) for pose in both)
    values[..., NAMES.index("jawOpen")] = (opening - resting_opening) / JAW_OPENING
    width, resting_width = (_distance(pose, 48, 54) / _distance(pose, 36, 45) for pose in both)
    widening = width / resting_width - 1
    values[..., NAMES.index("mouthPucker")] = -widening / PUCKER_NARROWING
    for side in ("Left", "Right"):
        # Landmarks cannot distinguish a stretched left corner from a shifted mouth, so both sides get the same value.
        values[..., NAMES.index(f"mouthStretch{side}")] = widening / STRETCH_WIDENING
        eye = f"{side.lower()}_eye"
        corners = CONTOURS[eye][0], CONTOURS[eye][3]
        opening, resting_opening = (_opening(pose, eye) / _distance(pose, *corners) for pose in both)
        # Relative to the eye's own width, because the eyes of a turned head foreshorten differently.
        closure = 1 - opening / resting_opening.clamp(min=1e-6)
        values[..., NAMES.index(f"eyeBlink{side}")] = closure / LID_CLOSURE
    return values.clamp(0, 1).unsqueeze(-1)


def _opening(poses: Tensor, name: str) -> Tensor:
    return torch.stack([_distance(poses, upper, lower) for upper, lower in OPENINGS[name]], dim=-1).mean(-1)


def _distance(poses: Tensor, first: int, second: int) -> Tensor:
    distance: Tensor = (poses[..., first, :] - poses[..., second, :]).norm(dim=-1)
    return distance.clamp(min=1e-12)


def _lid_basis(face: Tensor) -> Tensor:
    """Return the displacements ``[52, 68, 2]`` of blinks, which depend on how wide the eyes are open."""
    basis = face.new_zeros(len(NAMES), 68, 2)
    for side in ("Left", "Right"):
        for upper, lower in OPENINGS[f"{side.lower()}_eye"]:
            basis[NAMES.index(f"eyeBlink{side}"), upper] = LID_CLOSURE * (face[lower] - face[upper])
    return basis


@cache
def _basis() -> Tensor:
    """Return the displacements ``[52, 68, 2]`` of a frontal face; x right, y down, the person's left at the right."""
    basis = torch.zeros(len(NAMES), 68, 2)

    def add(name: str, points: tuple[int, ...], x: float = 0.0, y: float = 0.0) -> None:
        basis[NAMES.index(name), list(points)] += torch.tensor([x, y])

    # The chin moves less than the lower lip, and the corners of the mouth less than the chin.
    add("jawOpen", LOWER_LIP, y=JAW_OPENING)
    add("jawOpen", JAW, y=0.6 * JAW_OPENING)
    add("jawOpen", (*LEFT_CORNER, *RIGHT_CORNER), y=0.3 * JAW_OPENING)
    # ARKit's mouthClose closes the lips while the jaw is open, so it undoes what jawOpen does to the lip.
    add("mouthClose", LOWER_LIP, y=-JAW_OPENING)
    add("mouthFunnel", UPPER_LIP, y=-0.05)
    add("mouthFunnel", LOWER_LIP, y=0.05)
    add("mouthRollUpper", (49, 50, 51, 52, 53), y=0.04)
    add("mouthRollLower", (55, 56, 57, 58, 59), y=-0.04)
    add("mouthShrugLower", LOWER_LIP, y=-0.04)
    add("mouthShrugUpper", UPPER_LIP, y=-0.04)
    add("browInnerUp", (20, 21, 22, 23), y=-0.1)
    for name, points in (("jaw", (*JAW, *LOWER_LIP)), ("mouth", MOUTH)):
        add(f"{name}Left", points, x=0.1)
    for name, points, x, y in (
        ("mouthSmile", LEFT_CORNER, 0.06, -0.08),
        ("mouthFrown", LEFT_CORNER, 0.02, 0.08),
        ("mouthDimple", LEFT_CORNER, 0.03, 0.0),
        ("mouthLowerDown", (55, 56, 57, 65, 66), 0.0, 0.07),
        ("mouthUpperUp", (51, 52, 53, 62, 63), 0.0, -0.07),
        ("eyeWide", (43, 44), 0.0, -0.03),
        ("eyeSquint", (46, 47), 0.0, -0.03),
        ("browDown", tuple(PARTS["left_brow"]), 0.0, 0.07),
        ("browOuterUp", (24, 25, 26), 0.0, -0.1),
    ):
        add(f"{name}Left", points, x, y)
    add("mouthPucker", LEFT_CORNER, x=-MOUTH_HALF_WIDTH * PUCKER_NARROWING)
    add("mouthStretchLeft", LEFT_CORNER, x=MOUTH_HALF_WIDTH * STRETCH_WIDENING)
    # So far the basis has the left side only: mirror it, and complete mouthPucker, which belongs to both sides.
    flip = torch.tensor([-1.0, 1.0])
    for k, name in enumerate(NAMES):
        if "Left" in name:
            basis[NAMES.index(name.replace("Left", "Right"))] = basis[k, list(MIRROR)] * flip
    pucker = NAMES.index("mouthPucker")
    basis[pucker] += basis[pucker, list(MIRROR)] * flip
    return basis
