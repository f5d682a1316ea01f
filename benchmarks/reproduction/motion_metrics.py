"""What is measured of generated motion: synchrony by level, correlation with known causes, and drift over minutes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import uniform_filter1d  # type: ignore[import-untyped]
from torch import Tensor

import headmotion as hm
from headmotion.controls.control import ControlContext
from headmotion.controls.head_pose import HeadModel
from headmotion.geometry.rotations import matrix_to_rotation_vector
from headmotion.metrics.frechet import Gaussian, frechet_distance
from headmotion.sync.av_offset import best_shift
from headmotion.sync.trained import TrainedSyncers

Curve = npt.NDArray[np.float64]
Table = npt.NDArray[np.float64]
FPS = 25
FIGURES = ("confidence", "distance", "offset", "cosine")
SCALES = ("lips", "nods", "posture")
SOUND, ACCENT = 0.4, 1.0
"""Seconds of the moving means that separate the scales."""
WINDOW = 75
"""Frames of a window in which drift is measured."""
DIRECTIONS = 12
"""Principal directions of the recordings in which drift is measured."""


@torch.no_grad()
def synchrony(judge: TrainedSyncers, motion: Tensor, audio: Tensor) -> Table:
    """Measure synchrony by syncers that no generator was trained against.

    ``confidence``, ``distance`` (the least) and ``offset`` (its absolute value, in frames of the level) are those of
    the curve of distances over shifts, in the space in which the judge was trained; ``cosine`` is the mean over all
    windows.

    Args:
        judge: the syncers.
        motion: ``[B, T, P, D]``.
        audio: features ``[B, 4*T, C]``.

    Returns:
        ``[B, levels, 4]``, in the order of `FIGURES`.
    """
    curves = judge.syncers.curves(motion, audio, judge.space)
    cosines = judge.syncers.scores(motion, audio)
    levels = []
    for curve, cosine in zip(curves, cosines, strict=True):
        best = best_shift(curve)
        levels.append(torch.stack([best.confidence, best.distance, best.offset.abs().float(), cosine.mean(-1)], -1))
    return np.asarray(torch.stack(levels, 1).double().numpy())


def cause_correlations(representation: hm.Representation, motion: Tensor, causes: Mapping[str, Curve]) -> list[float]:
    """Correlate motion with the curves that caused the recorded one, at each time scale.

    Both curves are first brought to the band of the scale, so that a mouth which merely opens during speech scores
    nothing for single sounds:

    - ``lips``: mouth opening with that of the lips, without what is slower than 0.4 s;
    - ``nods``: pitch of the head (down) with the accents, without what is slower than 1 s;
    - ``posture``: pitch of the head (down) with the fall of the phrase, over 1 s.

    Args:
        representation: of the motion.
        motion: ``[T, P, D]``.
        causes: curves ``[T]`` by name.

    Returns:
        Pearson's correlations in the order of `SCALES`; 0 where a curve is constant.
    """
    mouth, pitch = mouth_opening(representation, motion), head_pitch(representation, motion)
    frames = len(mouth)
    lips, accent, phrase = (causes[name][:frames] for name in ("opening", "accent", "phrase"))
    return [
        correlation(fast_part(mouth, SOUND), fast_part(lips, SOUND)),
        correlation(fast_part(pitch, ACCENT), fast_part(accent, ACCENT)),
        correlation(slow_part(pitch, ACCENT), slow_part(-phrase, ACCENT)),
    ]


def mouth_opening(representation: hm.Representation, motion: Tensor) -> Curve:
    """Return the distance ``[T]`` of the lips at the middle of the mouth."""
    points = representation.to_points2d(motion)
    upper, lower = representation.openings["mouth"][0]
    return np.asarray((points[:, upper] - points[:, lower]).norm(dim=-1).double().numpy())


def head_pitch(representation: hm.Representation, motion: Tensor) -> Curve:
    """Return the pitch ``[T]`` of the head relative to the first frame, in radians, positive downward."""
    head = HeadModel(ControlContext(representation, motion[0], Fraction(FPS)), "reproduction")
    return np.asarray(matrix_to_rotation_vector(head.fit(motion.double()).rotation)[:, 0].numpy())


def slow_part(curve: Curve, seconds: float) -> Curve:
    """Return the moving mean, with the ends held."""
    return np.asarray(uniform_filter1d(curve, round(seconds * FPS) | 1, mode="nearest"))


def fast_part(curve: Curve, seconds: float) -> Curve:
    """Return the curve without its moving mean."""
    return curve - slow_part(curve, seconds)


def correlation(left: Curve, right: Curve) -> float:
    """Return Pearson's correlation, 0 if a curve is constant."""
    spread = left.std() * right.std()
    return float(((left - left.mean()) * (right - right.mean())).mean() / spread) if spread > 1e-12 else 0.0


def drift(generated: Tensor, recorded: Tensor) -> list[float]:
    """Measure whether errors add up: how far poses are from recorded ones, window by window.

    Poses are taken relative to the first frame, in the directions in which the recordings vary most. Each window of 3
    s, over all clips, is compared with all recordings by the Frechet distance of normal distributions (Dowson and
    Landau 1982). A window of the recordings themselves is the floor.

    Args:
        generated: ``[B, T, P, D]``.
        recorded: ``[B, T, P, D]``.

    Returns:
        The distance of each window in percent of the unit frame's side.
    """
    offsets, recorded_offsets = _from_first_frame(generated), _from_first_frame(recorded).flatten(0, 1)
    basis = torch.linalg.eigh(recorded_offsets.T.cov()).eigenvectors[:, -DIRECTIONS:]
    reference = Gaussian.fit(recorded_offsets @ basis)
    windows = [offsets[:, k : k + WINDOW] for k in range(0, offsets.shape[1] - WINDOW + 1, WINDOW)]
    # The root of the usual distance, so that a shift of all points by one percent counts the same at any distance.
    return [100 * frechet_distance(Gaussian.fit(window.flatten(0, 1) @ basis), reference) ** 0.5 for window in windows]


def _from_first_frame(motion: Tensor) -> Tensor:
    """Return flat poses ``[B, T, F]`` relative to the first frame."""
    return (motion - motion[:, :1]).flatten(2).double()
