"""How a clip's points move: as a rigid body, and beyond that, group by group.

Lengths are in units of the representation's ``scale_pair`` (for faces: the distance of the outer eye corners).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ...core.interfaces.representation import Representation
from ...geometry.rigid_fit import fit_similarity
from ...geometry.rotations import rotation_angle

Points = npt.NDArray[np.float64]

MIN_MOVEMENT = 1e-4
"""A frame whose points all move less than this is frozen."""
JUMP = 0.3
"""Median movement from one frame to the next that no head reaches."""


@dataclass(frozen=True)
class MotionStats:
    """Statistics of one clip's motion."""

    size_px: float
    """Median distance of the scale pair in pixels."""
    head_speed: float
    """Root mean square over points and frames of the rigid motion (units per second)."""
    head_turn: float
    """Root mean square of the rotation (degrees per second)."""
    energy: dict[str, float]
    """Per group, root mean square of the motion that is not rigid (units per second)."""
    spreads: dict[str, float]
    """Per opening, from the 5th to the 95th percentile of its width (units)."""
    frozen: float
    """Share of frames in which no point moves."""
    jumps: tuple[int, ...]
    """Frames at which the whole face jumps."""


def motion_stats(landmarks: npt.NDArray[np.float32], representation: Representation, fps: float) -> MotionStats:
    """Measure the motion of landmarks.

    Args:
        landmarks: ``[T, P, D]`` in pixels; of points with three coordinates the depth counts too.
        representation: what the landmarks are in.
        fps: frames per second.
    """
    points = _spatial(landmarks)
    size = _size_px(points, representation)
    points = points / size
    rotations, aligned = _align(points, _rigid_points(representation))
    # The same mean shape in every frame: only rotation and translation remain.
    rigid = points - np.einsum("tij,tpj->tpi", rotations, aligned - aligned.mean(axis=0))
    speeds_2d, rigid_speeds, inner_speeds = (
        np.linalg.norm(np.diff(values, axis=0), axis=-1) for values in (points[..., :2], rigid, aligned)
    )
    all_points: dict[str, tuple[int, ...]] = {"all points": tuple(range(points.shape[1]))}
    groups = dict(representation.groups) or all_points
    rotation_steps = torch.from_numpy(rotations[:-1]).mT @ torch.from_numpy(rotations[1:])
    return MotionStats(
        size_px=size,
        head_speed=_rms(rigid_speeds) * fps,
        head_turn=_rms(torch.rad2deg(rotation_angle(rotation_steps)).numpy()) * fps,
        energy={name: _rms(inner_speeds[:, list(members)]) * fps for name, members in groups.items()},
        spreads={name: _spread(width) for name, width in opening_widths(landmarks, representation).items()},
        frozen=float((speeds_2d.max(axis=1) < MIN_MOVEMENT).mean()) if len(speeds_2d) else 0.0,
        # A median of no values would warn.
        jumps=tuple(int(k) + 1 for k in np.flatnonzero(np.median(speeds_2d, axis=1) > JUMP)) if len(speeds_2d) else (),
    )


def opening_widths(landmarks: npt.NDArray[np.float32], representation: Representation) -> dict[str, Points]:
    """Return the width ``[T]`` of each opening (units) in landmarks ``[T, P, D]``."""
    points = _spatial(landmarks)
    points /= _size_px(points, representation)
    return {
        name: np.mean([np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in pairs], axis=0)
        for name, pairs in representation.openings.items()
    }


def _spatial(landmarks: npt.NDArray[np.float32]) -> Points:
    """Return the coordinates ``[T, P, 2 or 3]``, without numbers that are none, such as Jacobians."""
    return landmarks[..., : 3 if landmarks.shape[-1] == 3 else 2].astype(np.float64)


def _size_px(points: Points, representation: Representation) -> float:
    left, right = representation.scale_pair
    return max(float(np.median(np.linalg.norm(points[:, left, :2] - points[:, right, :2], axis=-1))), 1e-6)


def _spread(values: Points) -> float:
    low, high = np.percentile(values, (5, 95))
    return float(high - low)


def _rigid_points(representation: Representation) -> list[int]:
    """Return the points that move only with the skull, if the representation names them; else all."""
    movable = {point for pairs in representation.openings.values() for pair in pairs for point in pair}
    # Without lids and nostrils, if these open.
    skull = {point for name in ("eyes", "nose") for point in representation.groups.get(name, ())} - movable
    # Three points fit any pose and leave no remainder.
    return sorted(skull) if len(skull) > 3 else list(range(representation.points))


def _align(points: Points, rigid_points: list[int]) -> tuple[Points, Points]:
    """Rotate and shift every frame onto the mean pose, by least squares over the rigid points (Umeyama 1991).

    Returns:
        The rotations ``[T, d, d]`` of the frames, and the points ``[T, P, d]`` without rotation and translation.
    """
    base = points[:, rigid_points]
    center = base.mean(axis=1, keepdims=True)
    shape = (base - center).mean(axis=0)
    for _ in range(2):  # the mean of rotated heads is blurred; that of aligned ones is not
        fit = fit_similarity(torch.from_numpy(shape), torch.from_numpy(base), with_scale=False)
        rotations = fit.rotation.numpy()
        shape = np.einsum("tji,tpj->tpi", rotations, base - center).mean(axis=0)
    return rotations, np.einsum("tji,tpj->tpi", rotations, points - center)


def _rms(values: Points) -> float:
    return float(np.sqrt((values**2).mean())) if values.size else 0.0
