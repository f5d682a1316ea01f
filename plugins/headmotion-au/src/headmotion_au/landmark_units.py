"""Action units from the geometry of 68 landmarks: how far lips and jaw have moved from the person's face at rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

import headmotion as hm
from headmotion.geometry.rigid_fit import fit_similarity

RIGID = (*range(27, 36), 36, 39, 42, 45)
"""Points by which faces are aligned: the nose and the corners of the eyes, which speech does not move."""
OUTER_EYES = (36, 45)
INNER_LIPS = ((61, 67), (62, 66), (63, 65))
"""Pairs of points of the inner lips, upper and lower."""
CORNER_HEIGHTS = ((49, 59), (53, 55))
"""Pairs of points of the outer lips next to the corners of the mouth, upper and lower."""
UPPER_LIP, CHIN, CORNERS = (50, 51, 52), (7, 8, 9), (48, 54)
REST_SHARE = 0.1
"""Share of the frames, those with the lips nearest to each other, whose mean is the face at rest."""

SCALES: Mapping[str, float] = {"AU10": 0.04, "AU14": 0.03, "AU20": 0.08, "AU25": 0.18, "AU26": 0.12}
"""Change of its measure at which a unit has intensity 1, in distances of the outer eye corners."""


def resting_face(poses: Tensor) -> Tensor:
    """Return the face at rest ``[68, 2]`` of a motion ``[T, 68, 2]``: the mean of its frames with closed lips.

    Raises:
        MotionError: there are no frames.
    """
    if not len(poses):
        raise hm.MotionError("action units of landmarks", "at least one frame, or a reference", "none")
    count = max(1, round(REST_SHARE * len(poses)))
    closed = _gap(poses, INNER_LIPS).argsort(stable=True)[:count]
    return _aligned(poses[closed], poses[closed[0]]).mean(0)


def landmarks_to_units(poses: Tensor, resting: Tensor, units: Sequence[str]) -> Tensor:
    """Return intensities ``[..., N, 1]``, 0..1, of faces ``[..., 68, 2]``.

    Each face is moved onto the one at rest by a similarity of nose and eye corners, so that shifts, roll and size of
    the head do not count; nods and turns do, as far as they shorten distances.

    Args:
        poses: faces, in any unit of length.
        resting: the same person's face at rest, ``[68, 2]``.
        units: names of the units.

    Raises:
        MotionError: a unit that landmarks do not show.
    """
    if unknown := [unit for unit in units if unit not in SCALES]:
        remedy = "blend shapes and OpenFace give others"
        raise hm.MotionError("action units of landmarks", f"units among {', '.join(SCALES)}", unknown[0], remedy)
    across = resting[OUTER_EYES[1]] - resting[OUTER_EYES[0]]
    size = across.norm()
    # Rows are the directions from the right eye to the left one and from the eyes to the chin, of length 1 / size.
    axes = torch.stack([across, torch.stack([-across[1], across[0]])]) / size.square()
    faces, resting_face = _aligned(poses, resting) @ axes.mT, resting @ axes.mT
    changes = [(MEASURES[unit](faces) - MEASURES[unit](resting_face)) / SCALES[unit] for unit in units]
    return torch.stack(changes, dim=-1).clamp(0, 1).unsqueeze(-1)


def _aligned(poses: Tensor, target: Tensor) -> Tensor:
    return fit_similarity(poses[..., RIGID, :], target[RIGID, :].expand(*poses.shape[:-2], -1, -1)).apply(poses)


def _gap(faces: Tensor, pairs: Sequence[tuple[int, int]]) -> Tensor:
    """Return the mean distance of pairs of points ``[...]``."""
    upper, lower = zip(*pairs, strict=True)
    gap: Tensor = (faces[..., lower, :] - faces[..., upper, :]).norm(dim=-1).mean(-1)
    return gap


def _down(faces: Tensor, points: Sequence[int]) -> Tensor:
    """Return how far down points lie, ``[...]``."""
    return faces[..., points, 1].mean(-1)


MEASURES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "AU10": lambda faces: -_down(faces, UPPER_LIP),
    "AU14": lambda faces: -_gap(faces, CORNER_HEIGHTS),
    "AU20": lambda faces: _gap(faces, (CORNERS,)),
    "AU25": lambda faces: _gap(faces, INNER_LIPS),
    "AU26": lambda faces: _down(faces, CHIN),
}
"""What grows with a unit: the upper lip's height, the thinness of the lips next to the corners, the width of the mouth,
the distance of the inner lips, and how low the chin is."""
