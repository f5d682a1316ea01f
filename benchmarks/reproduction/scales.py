"""How well generated motion follows what really caused the recorded one, at each time scale.

Each pair of curves is brought to its own band of time scales first, so that a mouth which merely opens wherever someone
speaks scores nothing for single sounds:

- ``lips``: mouth opening against that of the lips, without what is slower than 0.4 s;
- ``nods``: pitch of the head (down) against the accents, without what is slower than 1 s;
- ``posture``: pitch of the head (down) against the fall of the phrase, over 1 s.

The figure is Pearson's correlation over a clip; 0 where a curve is constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d  # type: ignore[import-untyped]
from torch import Tensor

import headmotion as hm
from headmotion.controls.control import ControlContext
from headmotion.controls.head_pose import HeadModel
from headmotion.geometry.rotations import matrix_to_rotation_vector

Curve = npt.NDArray[np.float64]
SCALES = ("lips", "nods", "posture")
FPS = 25
SOUND, ACCENT = 0.4, 1.0
"""Seconds of the moving means that part the bands."""


def followed(representation: hm.Representation, motion: Tensor, causes: Mapping[str, Curve]) -> list[float]:
    """Correlations in the order of `SCALES` of one motion ``[T, P, D]`` with the curves ``[T]`` that should move it."""
    mouth, pitch = opening(representation, motion), nodding(representation, motion)
    frames = len(mouth)
    lips, accent, phrase = (causes[name][:frames] for name in ("opening", "accent", "phrase"))
    return [
        correlation(quick(mouth, SOUND), quick(lips, SOUND)),
        correlation(quick(pitch, ACCENT), quick(accent, ACCENT)),
        correlation(slow(pitch, ACCENT), slow(-phrase, ACCENT)),
    ]


def opening(representation: hm.Representation, motion: Tensor) -> Curve:
    """Distance ``[T]`` of the lips at the middle of the mouth."""
    points = representation.to_points2d(motion)
    upper, lower = representation.openings["mouth"][0]
    return np.asarray((points[:, upper] - points[:, lower]).norm(dim=-1).double().numpy())


def nodding(representation: hm.Representation, motion: Tensor) -> Curve:
    """Pitch ``[T]`` of the head relative to the first frame, in radians, positive downward."""
    head = HeadModel(ControlContext(representation, motion[0], Fraction(FPS)), "proof")
    return np.asarray(matrix_to_rotation_vector(head.fit(motion.double()).rotation)[:, 0].numpy())


def slow(curve: Curve, seconds: float) -> Curve:
    """The moving mean, the ends held."""
    return np.asarray(uniform_filter1d(curve, round(seconds * FPS) | 1, mode="nearest"))


def quick(curve: Curve, seconds: float) -> Curve:
    """What the moving mean leaves."""
    return curve - slow(curve, seconds)


def correlation(one: Curve, other: Curve) -> float:
    """Pearson's, 0 where one is constant."""
    spread = one.std() * other.std()
    return float(((one - one.mean()) * (other - other.mean())).mean() / spread) if spread > 1e-12 else 0.0
