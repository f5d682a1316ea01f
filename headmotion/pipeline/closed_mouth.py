"""A reference whose mouth is open: how far, and the same face with its lips closed, from which speech starts."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..core.interfaces.representation import Representation, SupportsMouth
from ..geometry.rigid_fit import fit_orthographic_pose
from ..renderers.portrait.openings import rigid_points
from ..representations.point_representation import neutral_3d

Mouth = Literal["auto", "closed", "as-is"]
"""Whether the mouth of a still picture is closed before it speaks."""
WIDE_OPEN = 0.25
"""Opening, in widths of the mouth, above which a picture's mouth is closed first. A smile with bared teeth has 0.17."""
PARTED = 0.1
"""Opening above which an unchanged mouth is visibly open, and lips of some generators do not meet."""
TURNED = 0.8
"""Share of its width that a mouth shows at least (a turn of 37 degrees) if it is closed unasked. Further to the side
the far half of the lips is a guess, and closing it draws a scribble."""
LOWER_SHARE = 0.8
"""Part of the opening by which the lower lip rises; the upper one comes down by the rest."""

Array = npt.NDArray[np.float64]


def mouth_opening(pose: Tensor, representation: Representation) -> float:
    """Return how far the mouth of a pose ``[P, D]`` is open, in widths of it; 0 for what has no mouth.

    The width is that from the front: a mouth that is seen from the side is not open for that.
    """
    if isinstance(representation, SupportsMouth):
        opening: float = representation.mouth_opening(pose)
        return opening
    if not _has_mouth(representation):
        return 0.0
    points = representation.to_points2d(pose).double().numpy()
    left, right = _corners(representation)
    pairs = np.array(representation.openings["mouth"])
    gaps = np.linalg.norm(points[pairs[:, 1]] - points[pairs[:, 0]], axis=-1)
    width = float(np.linalg.norm(points[right] - points[left])) / visible_width(pose, representation)
    return float(gaps.mean() / max(width, 1e-9))


def visible_width(pose: Tensor, representation: Representation) -> float:
    """Return the share of the face's width that is seen in a pose ``[P, D]``: 1 from the front, less from the side."""
    mean_face = neutral_3d(representation) if _has_mouth(representation) else None
    if mean_face is None:
        return 1.0
    rigid = rigid_points(representation)
    points = representation.to_points2d(pose).double()[None, rigid]
    rotation = fit_orthographic_pose(mean_face.double()[rigid], points).rotation[0]
    return float(rotation[:2, 0].norm().clamp(min=0.1))


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
    mouth = _Mouth(representation.to_points2d(pose).double().numpy(), representation)
    gaps = values[mouth.pairs[:, 1]] - values[mouth.pairs[:, 0]]
    changed = values.copy()
    lips = np.array(sorted({*representation.groups["lips"], *mouth.pairs.ravel()} - set(mouth.corners)))
    zeros = np.zeros(values.shape[1])
    gap = mouth.interpolate(gaps, (zeros, zeros), lips)
    share = np.where(mouth.is_lower(lips), -LOWER_SHARE, 1 - LOWER_SHARE)
    changed[lips] += share[:, None] * gap
    jaw = np.array(sorted(set(representation.groups.get("jaw", ())) - set(lips.tolist())), int)
    if len(jaw):
        # The chin follows the lower lip, the ends of the jaw line stay.
        depth = mouth.depth(jaw)
        follows = np.clip(depth / max(float(depth.max()), 1e-9), 0, 1)
        changed[jaw] -= LOWER_SHARE * follows[:, None] * gaps.mean(axis=0)
    return torch.from_numpy(changed).to(pose.dtype)


class _Mouth:
    """The mouth of a pose in the picture: its corners, pairs of an upper and a lower point, and its directions.

    Args:
        points: of the pose, ``[P, 2]``.
        representation: which points are the mouth.
    """

    def __init__(self, points: Array, representation: Representation) -> None:
        self.points, self.corners = points, _corners(representation)
        self.pairs = np.array(representation.openings["mouth"])
        left, right = self.corners
        axis = points[right] - points[left]
        across = axis / max(float(np.linalg.norm(axis)), 1e-9)
        self._down = np.array([-across[1], across[0]])
        if ((points[self.pairs[:, 1]] - points[self.pairs[:, 0]]) @ self._down).mean() < 0:
            self._down = -self._down
        self._along = (points - points[left]) @ across
        along_pairs = self._along[self.pairs].mean(axis=1)
        self._order = np.argsort(along_pairs)
        self._knots = np.concatenate([[self._along[left]], along_pairs[self._order], [self._along[right]]])

    def interpolate(self, at_pairs: Array, at_corners: tuple[Array, Array], rows: npt.NDArray[np.intp]) -> Array:
        """Interpolate along the mouth, for points, what is known at its pairs ``[K, n]`` and at its corners ``[n]``."""
        left, right = at_corners
        known = np.vstack([left, at_pairs[self._order], right])
        return np.column_stack([np.interp(self._along[rows], self._knots, column) for column in known.T])

    def is_lower(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Return whether points of the lips belong to the lower one."""
        left, right = self.corners
        corners = self.points[left], self.points[right]
        middle = self.interpolate(self.points[self.pairs].mean(axis=1), corners, rows)
        lower = np.asarray(((self.points[rows] - middle) * self._down).sum(axis=-1) > 0)
        lower[np.isin(rows, self.pairs[:, 1])], lower[np.isin(rows, self.pairs[:, 0])] = True, False
        return lower

    def depth(self, rows: npt.NDArray[np.intp]) -> Array:
        """Return how far points lie below the middle of the corners."""
        depth: Array = (self.points[rows] - self.points[list(self.corners)].mean(axis=0)) @ self._down
        return depth


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
