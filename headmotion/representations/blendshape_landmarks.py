"""Between 68 landmarks and ARKit's blend shapes: a small linear basis one way, estimates from distances the other.

Lengths are in distances of the outer eye corners. The amounts are round figures, chosen so that what one way raises the
other way finds again; neither has been fitted to ARKit's own meshes.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from .blendshapes import NAMES
from .landmarks68 import CONTOURS, MIRROR, OPENINGS, PARTS

OPEN = 0.45
"""Opening of the mouth at jawOpen 1."""
NARROWER, WIDER = 0.35, 0.25
"""Share of the mouth's width that mouthPucker takes away and mouthStretch adds, at 1."""
LIDS = 0.95
"""Share of the eye's opening that eyeBlink takes away at 1: lids have a thickness."""

UPPER_LIP, LOWER_LIP = (49, 50, 51, 52, 53, 61, 62, 63), (55, 56, 57, 58, 59, 65, 66, 67)
LEFT_CORNER, RIGHT_CORNER = (54, 64), (48, 60)
MOUTH = (*PARTS["outer_lips"], *PARTS["inner_lips"])
JAW = tuple(range(3, 14))


def raised(values: Tensor, face: Tensor) -> Tensor:
    """A face ``[68, 2]`` moved by shapes ``[..., 52]``: ``[..., 68, 2]``."""
    size = (face[45] - face[36]).norm()
    basis = _basis().to(values) * size
    lids = _lids(face)
    return face + torch.einsum("...s,spd->...pd", values, basis + lids)


def estimated(poses: Tensor, rest: Tensor) -> Tensor:
    """Shapes ``[..., 52, 1]`` of landmarks ``[..., 68, 2]``, by how distances differ from those at rest ``[68, 2]``.

    Distances are compared within each frame, so that size and tilt of the head do not matter; a turn does.
    """
    found = poses.new_zeros(*poses.shape[:-2], len(NAMES))
    size, size_at_rest = (_distance(each, 36, 45) for each in (poses, rest))
    found[..., NAMES.index("jawOpen")] = (
        _opening(poses, "mouth") / size - _opening(rest, "mouth") / size_at_rest
    ) / OPEN
    width = (_distance(poses, 48, 54) / size) / (_distance(rest, 48, 54) / size_at_rest) - 1
    found[..., NAMES.index("mouthPucker")] = -width / NARROWER
    for side in ("Left", "Right"):
        found[..., NAMES.index(f"mouthStretch{side}")] = width / WIDER
        eye = f"{side.lower()}_eye"
        corners = CONTOURS[eye][0], CONTOURS[eye][3]
        opening, at_rest = (_opening(each, eye) / _distance(each, *corners) for each in (poses, rest))
        found[..., NAMES.index(f"eyeBlink{side}")] = (1 - opening / at_rest.clamp(min=1e-6)) / LIDS
    return found.clamp(0, 1).unsqueeze(-1)


def _opening(poses: Tensor, name: str) -> Tensor:
    return torch.stack([_distance(poses, a, b) for a, b in OPENINGS[name]], dim=-1).mean(-1)


def _mouth(poses: Tensor) -> Tensor:
    return _opening(poses, "mouth")


def _width(poses: Tensor) -> Tensor:
    return _distance(poses, 48, 54)


def _distance(poses: Tensor, a: int, b: int) -> Tensor:
    apart: Tensor = (poses[..., a, :] - poses[..., b, :]).norm(dim=-1)
    return apart.clamp(min=1e-12)


def _lids(face: Tensor) -> Tensor:
    """What a blink does, which depends on how wide the eyes are open: ``[52, 68, 2]``."""
    basis = face.new_zeros(len(NAMES), 68, 2)
    for side in ("Left", "Right"):
        for upper, lower in OPENINGS[f"{side.lower()}_eye"]:
            basis[NAMES.index(f"eyeBlink{side}"), upper] = LIDS * (face[lower] - face[upper])
    return basis


@cache
def _basis() -> Tensor:
    """What each shape adds to a face that looks ahead, ``[52, 68, 2]``; x right, y down, the person's left is right."""
    basis = torch.zeros(len(NAMES), 68, 2)

    def add(name: str, points: tuple[int, ...], x: float = 0.0, y: float = 0.0) -> None:
        basis[NAMES.index(name), list(points)] += torch.tensor([x, y])

    add("jawOpen", LOWER_LIP, y=OPEN)
    add("jawOpen", JAW, y=0.6 * OPEN)
    add("jawOpen", (*LEFT_CORNER, *RIGHT_CORNER), y=0.3 * OPEN)
    add("mouthClose", LOWER_LIP, y=-OPEN)
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
    half = 0.2955  # of the mouth of the neutral face, whose width the estimates compare
    add("mouthPucker", LEFT_CORNER, x=-half * NARROWER)
    add("mouthStretchLeft", LEFT_CORNER, x=half * WIDER)
    _mirrored(basis)
    return basis


def _mirrored(basis: Tensor) -> None:
    """Give the right side what the left one has, and the shapes of both sides the other half."""
    flip = torch.tensor([-1.0, 1.0])
    for k, name in enumerate(NAMES):
        if "Left" in name:
            basis[NAMES.index(name.replace("Left", "Right"))] = basis[k, list(MIRROR)] * flip
    pucker = NAMES.index("mouthPucker")
    basis[pucker] += basis[pucker, list(MIRROR)] * flip
