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

STILL = 1e-4
"""Movement below this is none."""
JUMP = 0.3
"""Half of all points moved further than this from one frame to the next: no head does that."""


@dataclass(frozen=True)
class FaceFigures:
    """What is measured of one clip's motion."""

    size_px: float
    """Median distance of the scale pair in pixels."""
    head_speed: float
    """Root mean square over points and frames of the rigid motion (units per second)."""
    head_turn: float
    """Root mean square of the rotation (degrees per second)."""
    energy: dict[str, float]
    """Per group, root mean square of what is not rigid (units per second)."""
    spreads: dict[str, float]
    """Per opening, from the 5th to the 95th percentile of its width (units)."""
    frozen: float
    """Share of frames in which no point moves."""
    jumps: tuple[int, ...]
    """Frames at which the whole face leaps."""


def face_figures(landmarks: npt.NDArray[np.float32], representation: Representation, fps: float) -> FaceFigures:
    """Measure landmarks ``[T, P, D]`` in pixels; of points with three coordinates depth counts too."""
    spatial = 3 if landmarks.shape[-1] == 3 else 2
    points = landmarks[..., :spatial].astype(np.float64)
    size = _size(points, representation)
    points = points / size
    steady = _steady(representation)
    turn, straight = _straighten(points, steady)
    moved = np.linalg.norm(np.diff(points[..., :2], axis=0), axis=-1)
    rigid = points - np.einsum("tij,tpj->tpi", turn, straight - straight.mean(axis=0))
    body = np.linalg.norm(np.diff(rigid, axis=0), axis=-1)
    inner = np.linalg.norm(np.diff(straight, axis=0), axis=-1)
    every: dict[str, tuple[int, ...]] = {"all points": tuple(range(points.shape[1]))}
    groups = dict(representation.groups) or every
    return FaceFigures(
        size_px=size,
        head_speed=_rms(body) * fps,
        head_turn=_rms(_angles(turn)) * fps,
        energy={name: _rms(inner[:, list(members)]) * fps for name, members in groups.items()},
        spreads={name: _spread(width) for name, width in opening_widths(landmarks, representation).items()},
        frozen=float((moved.max(axis=1) < STILL).mean()) if len(moved) else 0.0,
        jumps=tuple(int(k) + 1 for k in np.flatnonzero(np.median(moved, axis=1) > JUMP)) if len(moved) else (),
    )


def opening_widths(landmarks: npt.NDArray[np.float32], representation: Representation) -> dict[str, Points]:
    """Width of each opening in each frame ``[T]`` (units)."""
    points = landmarks[..., : 3 if landmarks.shape[-1] == 3 else 2].astype(np.float64)
    points /= _size(points, representation)
    return {
        name: np.mean([np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in pairs], axis=0)
        for name, pairs in representation.openings.items()
    }


def _size(points: Points, representation: Representation) -> float:
    left, right = representation.scale_pair
    return max(float(np.median(np.linalg.norm(points[:, left, :2] - points[:, right, :2], axis=-1))), 1e-6)


def _spread(values: Points) -> float:
    low, high = np.percentile(values, (5, 95))
    return float(high - low)


def _steady(representation: Representation) -> list[int]:
    """Points that move with the skull alone, where the representation tells; else all."""
    opening = {point for pairs in representation.openings.values() for pair in pairs for point in pair}
    skull = {point for name in ("eyes", "nose") for point in representation.groups.get(name, ())} - opening
    return sorted(skull) if len(skull) > 3 else list(range(representation.points))


def _straighten(points: Points, steady: list[int]) -> tuple[Points, Points]:
    """Rotations ``[T, d, d]``, and the points ``[T, P, d]`` turned back and moved to where the mean pose has them.

    Least squares onto the mean of the steady points (Umeyama 1991), without a change of scale.
    """
    base = points[:, steady]
    center = base.mean(axis=1, keepdims=True)
    shape = (base - center).mean(axis=0)
    for _ in range(2):  # the mean of turned heads is blurred; that of straightened ones is not
        fit = fit_similarity(torch.from_numpy(shape), torch.from_numpy(base), with_scale=False)
        turn = fit.rotation.numpy()
        shape = np.einsum("tji,tpj->tpi", turn, base - center).mean(axis=0)
    return turn, np.einsum("tji,tpj->tpi", turn, points - center)


def _angles(turn: Points) -> Points:
    """Degrees ``[T-1]`` between one rotation and the next."""
    steps = torch.from_numpy(turn[:-1]).mT @ torch.from_numpy(turn[1:])
    return np.asarray(torch.rad2deg(rotation_angle(steps)).numpy())


def _rms(values: Points) -> float:
    return float(np.sqrt((values**2).mean())) if values.size else 0.0
