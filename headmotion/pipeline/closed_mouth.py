"""A reference whose mouth is open: how far, and the same face with its lips closed, from which speech starts."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..core.interfaces.representation import Representation, SupportsMouth

Mouth = Literal["auto", "closed", "as-is"]
"""Whether the mouth of a still picture is closed before it speaks."""
WIDE_OPEN = 0.25
"""Opening, in widths of the mouth, above which a picture's mouth is closed first. A smile with bared teeth has 0.17."""
PARTED = 0.1
"""Opening above which an unchanged mouth is visibly open, and lips of some generators do not meet."""
LOWER_SHARE = 0.8
"""Part of the opening by which the lower lip rises; the upper one comes down by the rest."""

Array = npt.NDArray[np.float64]


def mouth_opening(pose: Tensor, representation: Representation) -> float:
    """Return how far the mouth of a pose ``[P, D]`` is open, in widths of it; 0 for what has no mouth."""
    if isinstance(representation, SupportsMouth):
        opening: float = representation.mouth_opening(pose)
        return opening
    if not _has_mouth(representation):
        return 0.0
    points = representation.to_points2d(pose).double().numpy()
    left, right = _corners(representation)
    pairs = np.array(representation.openings["mouth"])
    gaps = np.linalg.norm(points[pairs[:, 1]] - points[pairs[:, 0]], axis=-1)
    return float(gaps.mean() / max(float(np.linalg.norm(points[right] - points[left])), 1e-9))


def close_mouth(pose: Tensor, representation: Representation) -> Tensor:
    """Return a pose ``[P, D]`` with its lips together: lower lip and jaw rise, the upper lip comes down a little.

    The corners of the mouth stay, so that a laughing mouth becomes a wide closed one.
    """
    if isinstance(representation, SupportsMouth):
        closed: Tensor = representation.close_mouth(pose)
        return closed
    if not _has_mouth(representation):
        return pose
    values = pose.double().numpy()
    points = representation.to_points2d(pose).double().numpy()
    pairs = np.array(representation.openings["mouth"])
    left, right = _corners(representation)
    axis = points[right] - points[left]
    across = axis / max(float(np.linalg.norm(axis)), 1e-9)
    down = np.array([-across[1], across[0]])
    gaps = values[pairs[:, 1]] - values[pairs[:, 0]]
    if ((points[pairs[:, 1]] - points[pairs[:, 0]]) @ down).mean() < 0:
        down = -down
    along = (points - points[left]) @ across
    order = np.argsort(along[pairs].mean(axis=1))
    knots = np.concatenate([[along[left]], along[pairs].mean(axis=1)[order], [along[right]]])

    def between(at_pairs: Array, at_left: Array, at_right: Array, where: Array) -> Array:
        """Interpolate along the mouth what is known at its corners and at the pairs ``[K, n]``."""
        values_at_knots = np.vstack([at_left, at_pairs[order], at_right])
        return np.column_stack([np.interp(where, knots, column) for column in values_at_knots.T])

    changed = values.copy()
    lips = np.array(sorted({*representation.groups["lips"], *pairs.ravel()} - {left, right}))
    zeros = np.zeros(values.shape[1])
    gap = between(gaps, zeros, zeros, along[lips])
    middle = between(points[pairs].mean(axis=1), points[left], points[right], along[lips])
    below = ((points[lips] - middle) * down).sum(axis=-1) > 0
    below[np.isin(lips, pairs[:, 1])], below[np.isin(lips, pairs[:, 0])] = True, False
    changed[lips] += np.where(below[:, None], -LOWER_SHARE, 1 - LOWER_SHARE) * gap
    jaw = np.array(sorted(set(representation.groups.get("jaw", ())) - set(lips.tolist())), int)
    if len(jaw):
        depth = (points[jaw] - points[[left, right]].mean(axis=0)) @ down
        # The chin follows the lower lip, the ends of the jaw line stay.
        follows = np.clip(depth / max(float(depth.max()), 1e-9), 0, 1)
        changed[jaw] -= LOWER_SHARE * follows[:, None] * gaps.mean(axis=0)
    return torch.from_numpy(changed).to(pose.dtype)


def _has_mouth(representation: Representation) -> bool:
    return (
        representation.dims > 1
        and bool(representation.openings.get("mouth"))
        and "inner_lips" in representation.contours
        and "lips" in representation.groups
    )


def _corners(representation: Representation) -> tuple[int, int]:
    """Return the two points of the inner lips that are furthest from each other, by the neutral face."""
    contour = list(representation.contours["inner_lips"])
    neutral = representation.to_points2d(representation.neutral()).double().numpy()[contour]
    distances = np.linalg.norm(neutral[:, None] - neutral[None], axis=-1)
    first, second = np.unravel_index(int(distances.argmax()), distances.shape)
    return contour[int(first)], contour[int(second)]
