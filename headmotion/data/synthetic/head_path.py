"""Head motion made up for speech: how a talking person's head turns and shifts, and a clip moved along with it.

A stated share of the motion follows loudness and pitch, as heads of speakers do (Munhall et al. 2004; Busso et al.
2007), always in the same way, so that it can be learned; the rest is smooth chance. How far and how fast heads go, and
both gains, were measured on real speakers by ``tools/head_statistics.py``.

Angles are those of a camera's view, axes x right, y down, z away from the viewer: a positive yaw turns the nose to the
left of the picture, a positive pitch nods down, a positive roll tilts the top of the head to the right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import torch

from ...core.errors import MotionError
from ...geometry.rotations import euler_angles_to_matrix
from .prosody import FPS, Prosody, prosody

Curve = npt.NDArray[np.float64]

AXES = ("yaw", "pitch", "roll", "x", "y")
NECK = (0.0, 1.9, 1.0)
"""Where a head turns, from the middle of the eyes in inter-ocular distances: down, and back into the neck."""
FAST_SECONDS, SLOW_SECONDS = 0.08, 0.4
"""Nods and posture: scales at which prosody is followed."""
REBOUND = 4
"""After so many times these scales the head comes back."""
NOD_SECONDS, POSTURE_SECONDS = 0.12, 0.8
"""Correlation lengths of chance's share."""
SOURCES = {
    "yaw": ("pitch", "pitch"),
    "pitch": ("loudness", "loudness"),
    "roll": ("pitch", "pitch"),
    "x": ("pitch", "pitch"),
    "y": ("loudness", "loudness"),
}
"""What nods and posture follow, for each axis."""
DELAY_SECONDS = (0.0, 0.0, 0.12, 0.2, 0.24)


@dataclass(frozen=True, eq=False)
class HeadPath:
    """Where a head is in ``T`` frames at 25 fps, away from where the clip has it."""

    yaw: Curve
    """``[T]`` radians."""
    pitch: Curve
    """``[T]`` radians, down."""
    roll: Curve
    """``[T]`` radians."""
    x: Curve
    """``[T]`` inter-ocular distances to the right, of the neck."""
    y: Curve
    """``[T]`` inter-ocular distances down, of the neck."""

    def __len__(self) -> int:
        return len(self.yaw)

    def from_rest(self) -> HeadPath:
        """The same motion, beginning with all values 0."""
        return HeadPath(*(getattr(self, axis) - getattr(self, axis)[0] for axis in AXES))


def head_path(
    chance: np.random.Generator, audio_16k: npt.NDArray[np.float32], frames: int, liveliness: float = 1.0
) -> HeadPath:
    """A path for speech ``[S]`` at 16 kHz; `with_chance` of `prosodic_path`, whose cost one can pay once per clip."""
    return with_chance(chance, prosodic_path(audio_16k, frames), liveliness)


def prosodic_path(audio_16k: npt.NDArray[np.float32], frames: int) -> HeadPath:
    """The share of a path that speech ``[S]`` at 16 kHz alone decides: nods on accents, posture with the phrase."""
    gain = np.array([_table()["gain_of_prosody"][axis] for axis in AXES])
    return HeadPath(*np.einsum("atk,ak->at", drives(prosody(audio_16k, frames)), gain))


def with_chance(chance: np.random.Generator, followed: HeadPath, liveliness: float = 1.0) -> HeadPath:
    """A path along with what chance adds.

    Args:
        chance: drawn from ten times.
        followed: of `prosodic_path`.
        liveliness: factor of everything; 1 moves as real speakers do on average.
    """
    curves = []
    for axis in AXES:
        nod, posture = _table()["gain_of_chance"][axis]
        drift = nod * smooth_chance(chance, len(followed), NOD_SECONDS)
        drift += posture * smooth_chance(chance, len(followed), POSTURE_SECONDS)
        curves.append(liveliness * (getattr(followed, axis) + drift))
    return HeadPath(*curves)


def move_head(landmarks: npt.NDArray[np.float32], path: HeadPath) -> npt.NDArray[np.float32]:
    """Landmarks ``[T, 68, 3]`` in pixels with the head turned about its neck and shifted, seen from afar.

    Raises:
        MotionError: another shape, or a path of another length.
    """
    if landmarks.shape != (len(path), 68, 3):
        raise MotionError("head path", f"landmarks [{len(path)}, 68, 3]", f"the shape {list(landmarks.shape)}")
    mean = landmarks.mean(axis=0, dtype=np.float64)
    eyes, mouth = mean[36:48].mean(axis=0), mean[48:60].mean(axis=0)
    across = mean[45] - mean[36]
    size = np.linalg.norm(across)
    across /= size
    down = mouth - eyes - across * ((mouth - eyes) @ across)
    down /= np.linalg.norm(down)
    neck = eyes + size * (np.array(NECK) @ [across, down, np.cross(across, down)])
    shift = size * np.stack([path.x, path.y, np.zeros(len(path))], axis=1) + neck
    turned = (landmarks - neck) @ rotations(path.yaw, path.pitch, path.roll).transpose(0, 2, 1)
    return np.asarray(turned + shift[:, None], dtype=np.float32)


def rotations(yaw: Curve, pitch: Curve, roll: Curve) -> Curve:
    """Return the matrices ``[T, 3, 3]`` of angles ``[T]`` (radians): roll about z, times pitch, times yaw about y."""
    angles = torch.from_numpy(np.stack([roll, pitch, yaw], axis=-1))
    return np.asarray(euler_angles_to_matrix(angles, "ZXY").numpy())


def drives(heard: Prosody) -> Curve:
    """What nods and posture follow, ``[axes, T, 2]``: prosody as a sluggish head would have it, before the gains."""
    curves = {"loudness": heard.loudness, "pitch": heard.pitch / 6}
    bands = {
        (name, seconds): _lagging(curve, seconds) - _lagging(curve, REBOUND * seconds)
        for name, curve in curves.items()
        for seconds in (FAST_SECONDS, SLOW_SECONDS)
    }
    result = np.zeros((len(AXES), len(heard.loudness), 2))
    for axis, (sources, seconds) in enumerate(zip(SOURCES.values(), DELAY_SECONDS, strict=True)):
        delay = round(seconds * FPS)
        for band, (source, scale) in enumerate(zip(sources, (FAST_SECONDS, SLOW_SECONDS), strict=True)):
            result[axis, delay:, band] = bands[source, scale][: len(result[axis]) - delay]
    return result


def _lagging(curve: Curve, seconds: float) -> Curve:
    """What three equal first-order lags of ``seconds`` make of a curve; looks back only."""
    kernel = _lag(seconds)
    return np.convolve(curve, kernel)[: len(curve)]


@cache
def _lag(seconds: float) -> Curve:
    time = np.arange(1, round(12 * seconds * FPS) + 2) / FPS
    kernel = time**2 * np.exp(-time / seconds)
    return np.asarray(kernel / kernel.sum())


def smooth_chance(chance: np.random.Generator, frames: int, seconds: float) -> Curve:
    """A stationary Gaussian process of variance 1 and autocorrelation ``exp(-t^2 / (2 seconds^2))``, ``[frames]``."""
    kernel = _blur(seconds)
    return np.convolve(chance.standard_normal(frames + len(kernel) - 1), kernel, mode="valid")


@cache
def _blur(seconds: float) -> Curve:
    reach = int(4 * seconds * FPS / np.sqrt(2)) + 1
    kernel = np.exp(-((np.arange(-reach, reach + 1) / FPS / seconds) ** 2))
    return np.asarray(kernel / np.sqrt(np.sum(kernel**2)))


@cache
def _table() -> dict[str, dict[str, list[float]]]:
    text = (files(__package__) / "head_statistics.json").read_text("utf-8")
    return dict(json.loads(text)["head_path"])
