"""Measure how far and how fast real speakers' heads move, and the gains that make `head_path` move like that.

    python tools/head_statistics.py ../shared/data

SHARED_DATA holds the folders ``clips`` (many speakers; those whose heads move are measured) and ``grid_s1`` (more
speech). Only statistics are kept: headmotion/data/synthetic/head_statistics.json.
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
from headmotion.metrics.signals import centered_windows, low_pass, windowed_stats

TARGET = Path(__file__).parents[1] / "headmotion/data/synthetic/head_statistics.json"
SKULL = [36, 39, 42, 45, 27, 28, 29, 30, 31, 33, 35, 0, 1, 15, 16]
WINDOW = 75
"""Frames over which a standard deviation is taken: three seconds."""
LOWPASS_HZ = 5.0
"""Faster than this, what is found in real clips is the detector's trembling."""
LEAST_TURNING_DEG = 3.0
LARGEST_RESIDUE = 0.05
CROPPED = ("pcavs", "lrs3", "lia_vox")
"""Speakers whose picture follows the head: their shifts are not measured."""
PROSODY_SHARE = 0.6
LAGS = (1, 2, 5, 12, 25, 50, 75)


def head_motion(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Yaw, pitch, roll in radians and the neck's x, y ``[T, 5]``, and what is left, both in inter-ocular distances.

    Rotations fit a rigid skull to each frame (orthogonal Procrustes, Schönemann 1966); the skull is the clip's mean.
    """
    frames = landmarks.astype(np.float64)
    size = np.median(np.linalg.norm(frames[:, 45] - frames[:, 36], axis=1))
    center = frames[:, SKULL].mean(axis=1, keepdims=True)
    points = frames[:, SKULL] - center
    shape = points[0]
    for _ in range(5):
        turn = fit_similarity(torch.from_numpy(shape), torch.from_numpy(points), with_scale=False).rotation.numpy()
        scale = np.sqrt((points**2).sum((1, 2)) / (shape**2).sum())[:, None, None]
        shape = (np.einsum("tni,tij->tnj", points, turn) / scale).mean(axis=0)
    residue = float(np.sqrt(((points / scale - shape @ turn.mT) ** 2).sum(-1).mean()) / size)
    neck = center[:, 0] + scale[:, 0] * (turn @ (shape[:4].mean(axis=0) + size * np.array(NECK)))
    yaw = np.arctan2(-turn[:, 2, 0], turn[:, 2, 2])
    roll = np.arctan2(-turn[:, 0, 1], turn[:, 1, 1])
    motion = np.stack([yaw, np.arcsin(turn[:, 2, 1]), roll, *(neck[:, :2] / size).T], axis=1)
    return low_pass(motion, LOWPASS_HZ, 25, "head statistics"), residue


def moving_speakers(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Speaker and motion of every clip long enough in which a rigid head turns."""
    for row in csv.DictReader((folder / "index.csv").open(encoding="utf-8")):
        landmarks = np.load(folder / f"{row['id']}.npz")["landmarks"]
        motion, residue = head_motion(landmarks)
        turning = np.degrees(np.linalg.norm(windowed_stats(motion).std[:3]))
        if turning >= LEAST_TURNING_DEG and residue <= LARGEST_RESIDUE and len(motion) >= WINDOW:
            yield row["speaker"], motion


def per_speaker(motions: list[tuple[str, np.ndarray]], axis: int, measure: str) -> np.ndarray:
    """A moment of one axis, one number per speaker."""
    found: dict[str, list[float]] = {}
    for speaker, motion in motions:
        if axis < 3 or not speaker.startswith(CROPPED):
            found.setdefault(speaker, []).append(float(getattr(windowed_stats(motion), measure)[axis]))
    return np.array([np.mean(values) for values in found.values()])


def gains(curves: list[np.ndarray], std: float, speed: float) -> list[float]:
    """Factors of two curves (each item ``[T, 2]``) whose sum has this standard deviation and speed in 3 s windows."""
    pieces = [piece for curve in curves for piece in centered_windows(curve)]
    spread = np.mean([piece.T @ piece / len(piece) for piece in pieces], axis=0)
    steps = [np.diff(piece, axis=0) for piece in pieces]
    rate = np.mean([step.T @ step / len(step) for step in steps], axis=0)

    def misfit(gain: np.ndarray) -> list[float]:
        return [np.sqrt(gain @ spread @ gain) / std - 1, np.sqrt(gain @ rate @ gain) / speed - 1]

    start = std / np.sqrt(2 * np.diag(spread))
    return [float(value) for value in least_squares(misfit, start, bounds=(0, np.inf)).x]


def speech(shared: Path, sentences: int = 400) -> Iterator[Clip]:
    """What the gains of prosody are fitted on."""
    yield from open_corpus(shared / "clips")
    grid = open_corpus(shared / "grid_s1")
    yield from (grid[k] for k in range(0, len(grid), max(len(grid) // sentences, 1)))


def table(shared: Path) -> dict[str, object]:
    """All that is written."""
    motions = list(moving_speakers(shared / "clips"))
    measured = {
        name: {axis: float(per_speaker(motions, k, name).mean()) for k, axis in enumerate(AXES)}
        for name in ("std", "speed", "acceleration")
    }
    apart = {
        axis: [float(np.mean([np.sqrt(((m[lag:, k] - m[:-lag, k]) ** 2).mean()) for _, m in motions])) for lag in LAGS]
        for k, axis in enumerate(AXES[:3])
    }
    followed = [prosodic_drives(prosody(clip.audio, len(clip.landmarks))) for clip in speech(shared)]
    chance = np.random.default_rng(0)
    wander = [
        np.stack([smooth_noise(chance, WINDOW, seconds) for seconds in (NOD_SECONDS, POSTURE_SECONDS)], axis=1)
        for _ in range(4000)
    ]
    of_prosody, of_chance = {}, {}
    for k, axis in enumerate(AXES):
        std, speed = measured["std"][axis], measured["speed"][axis]
        of_prosody[axis] = gains([d[k] for d in followed], std * PROSODY_SHARE**0.5, speed * PROSODY_SHARE**0.5)
        of_chance[axis] = gains(wander, std * (1 - PROSODY_SHARE) ** 0.5, speed * (1 - PROSODY_SHARE) ** 0.5)
    return {
        "made_by": "python tools/head_statistics.py ../shared/data",
        "units": "radians and inter-ocular distances; speed and acceleration per frame at 25 fps",
        "clips": len(motions),
        "speakers": len({speaker for speaker, _ in motions}),
        "window_frames": WINDOW,
        "lowpass_hz": LOWPASS_HZ,
        **measured,
        "std_of_log_std": {axis: float(np.log(per_speaker(motions, k, "std")).std()) for k, axis in enumerate(AXES)},
        "distance_over_lag": {"lag_frames": list(LAGS), **apart},
        "head_path": {
            "prosody_share": PROSODY_SHARE,
            "gain_of_prosody": of_prosody,
            "gain_of_chance": of_chance,
        },
    }


def rounded(value: object) -> object:
    """Floats to four figures."""
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
