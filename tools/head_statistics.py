"""Measure how far and how fast real speakers' heads move, and the gains with which `head_path` moves like them.

    python tools/head_statistics.py ../shared/data

SHARED_DATA holds the folders ``clips`` (many speakers; those whose heads move are measured) and ``grid_s1`` (more
speech). The result, headmotion/data/synthetic/head_statistics.json, contains statistics only.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import least_squares

from headmotion.core.files import atomic_output
from headmotion.data.clip import Clip
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.head_path import (
    AXES,
    NECK,
    NOD_SECONDS,
    POSTURE_SECONDS,
    prosodic_drives,
    smooth_noise,
)
from headmotion.data.synthetic.prosody import prosody
from headmotion.geometry.rigid_fit import fit_similarity
from headmotion.geometry.rotations import matrix_to_euler_angles
from headmotion.metrics.signals import centered_windows, low_pass, windowed_stats

TARGET = Path(__file__).parents[1] / "headmotion/data/synthetic/head_statistics.json"
SKULL = [36, 39, 42, 45, 27, 28, 29, 30, 31, 33, 35, 0, 1, 15, 16]
WINDOW = 75
"""Frames of the windows in which standard deviations are computed: three seconds."""
LOWPASS_HZ = 5.0
"""Cutoff (Hz): faster motion in real clips is jitter of the detector."""
MIN_TURNING_DEG = 3.0
"""Standard deviation of the head's rotation above which a head counts as moving."""
MAX_RESIDUE = 0.05
"""Inter-ocular distances: clips with a larger error of the rigid fit are left out."""
CROPPED = ("pcavs", "lrs3", "lia_vox")
"""Speakers whose picture was cropped around the head, so that their shifts are not measured."""
PROSODY_SHARE = 0.6
"""Share of the variance of head motion that follows prosody."""
LAGS = (1, 2, 5, 12, 25, 50, 75)


def head_motion(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Return yaw, pitch, roll (radians) and the neck's x, y ``[T, 5]``, and the error of the fit.

    Shifts and error are in inter-ocular distances. A rigid skull, the clip's mean, is fitted to each frame (orthogonal
    Procrustes, Schönemann 1966).
    """
    frames = landmarks.astype(np.float64)
    size = np.median(np.linalg.norm(frames[:, 45] - frames[:, 36], axis=1))
    center = frames[:, SKULL].mean(axis=1, keepdims=True)
    points = frames[:, SKULL] - center
    shape = points[0]
    for _ in range(5):  # the mean of rotated skulls is blurred; each iteration makes it sharper
        rotation = fit_similarity(torch.from_numpy(shape), torch.from_numpy(points), with_scale=False).rotation.numpy()
        scale = np.sqrt((points**2).sum((1, 2)) / (shape**2).sum())[:, None, None]
        shape = (np.einsum("tni,tij->tnj", points, rotation) / scale).mean(axis=0)
    residue = float(np.sqrt(((points / scale - shape @ rotation.mT) ** 2).sum(-1).mean()) / size)
    neck = center[:, 0] + scale[:, 0] * (rotation @ (shape[:4].mean(axis=0) + size * np.array(NECK)))
    roll, pitch, yaw = matrix_to_euler_angles(torch.from_numpy(rotation), "ZXY").numpy().T
    motion = np.stack([yaw, pitch, roll, *(neck[:, :2] / size).T], axis=1)
    return low_pass(motion, LOWPASS_HZ, 25, "head statistics"), residue


def moving_speakers(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield speaker and motion of every clip that is long enough and in which a rigid head turns."""
    for row in csv.DictReader((folder / "index.csv").open(encoding="utf-8")):
        landmarks = np.load(folder / f"{row['id']}.npz")["landmarks"]
        motion, residue = head_motion(landmarks)
        turning = np.degrees(np.linalg.norm(windowed_stats(motion).std[:3]))
        if turning >= MIN_TURNING_DEG and residue <= MAX_RESIDUE and len(motion) >= WINDOW:
            yield row["speaker"], motion


def per_speaker(motions: list[tuple[str, np.ndarray]], axis: int, measure: str) -> np.ndarray:
    """Return a statistic of one axis, one number per speaker."""
    by_speaker: dict[str, list[float]] = {}
    for speaker, motion in motions:
        if axis < 3 or not speaker.startswith(CROPPED):
            by_speaker.setdefault(speaker, []).append(float(getattr(windowed_stats(motion), measure)[axis]))
    return np.array([np.mean(values) for values in by_speaker.values()])


def gains(curves: list[np.ndarray], std: float, speed: float) -> list[float]:
    """Return factors of two curves whose sum has a standard deviation and a speed, in windows of 3 s.

    Args:
        curves: pairs of curves ``[T, 2]``.
        std: the standard deviation.
        speed: the root mean square change per frame.
    """
    windows = [window for curve in curves for window in centered_windows(curve)]
    covariance = np.mean([window.T @ window / len(window) for window in windows], axis=0)
    steps = [np.diff(window, axis=0) for window in windows]
    step_covariance = np.mean([step.T @ step / len(step) for step in steps], axis=0)

    def misfit(gain: np.ndarray) -> list[float]:
        return [np.sqrt(gain @ covariance @ gain) / std - 1, np.sqrt(gain @ step_covariance @ gain) / speed - 1]

    start = std / np.sqrt(2 * np.diag(covariance))
    return [float(value) for value in least_squares(misfit, start, bounds=(0, np.inf)).x]


def speech(shared: Path, sentences: int = 400) -> Iterator[Clip]:
    """Yield the clips on whose speech the gains of prosody are fitted."""
    yield from open_corpus(shared / "clips")
    grid = open_corpus(shared / "grid_s1")
    yield from (grid[k] for k in range(0, len(grid), max(len(grid) // sentences, 1)))


def table(shared: Path) -> dict[str, object]:
    """Return the content of the file."""
    motions = list(moving_speakers(shared / "clips"))
    measured = {
        name: {axis: float(per_speaker(motions, k, name).mean()) for k, axis in enumerate(AXES)}
        for name in ("std", "speed", "acceleration")
    }
    lag_distances = {
        axis: [float(np.mean([np.sqrt(((m[lag:, k] - m[:-lag, k]) ** 2).mean()) for _, m in motions])) for lag in LAGS]
        for k, axis in enumerate(AXES[:3])
    }
    drives = [prosodic_drives(prosody(clip.audio, len(clip.landmarks))) for clip in speech(shared)]
    rng = np.random.default_rng(0)
    noise = [
        np.stack([smooth_noise(rng, WINDOW, seconds) for seconds in (NOD_SECONDS, POSTURE_SECONDS)], axis=1)
        for _ in range(4000)
    ]
    prosody_gains, noise_gains = {}, {}
    for k, axis in enumerate(AXES):
        std, speed = measured["std"][axis], measured["speed"][axis]
        prosody_gains[axis] = gains(
            [drive[k] for drive in drives], std * PROSODY_SHARE**0.5, speed * PROSODY_SHARE**0.5
        )
        noise_gains[axis] = gains(noise, std * (1 - PROSODY_SHARE) ** 0.5, speed * (1 - PROSODY_SHARE) ** 0.5)
    return {
        "made_by": "python tools/head_statistics.py ../shared/data",
        "units": "radians and inter-ocular distances; speed and acceleration per frame at 25 fps",
        "clips": len(motions),
        "speakers": len({speaker for speaker, _ in motions}),
        "window_frames": WINDOW,
        "lowpass_hz": LOWPASS_HZ,
        **measured,
        "std_of_log_std": {axis: float(np.log(per_speaker(motions, k, "std")).std()) for k, axis in enumerate(AXES)},
        "distance_over_lag": {"lag_frames": list(LAGS), **lag_distances},
        "head_path": {
            "prosody_share": PROSODY_SHARE,
            "gain_of_prosody": prosody_gains,
            "gain_of_chance": noise_gains,
        },
    }


def rounded(value: object) -> object:
    """Round floats to four significant digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    with atomic_output(TARGET) as temporary:
        result = rounded(table(parser.parse_args().shared))
        temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(TARGET.read_text("utf-8"))
