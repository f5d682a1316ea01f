"""Invented head motion for speech: how the head of a speaker turns and shifts.

A stated share of the motion follows loudness and pitch, as the heads of speakers do (Munhall et al. 2004; Busso et al.
2007). It follows them always in the same way, so that it can be learned; the rest is smooth noise. Range and speed of
heads, and both gains, were measured on real speakers by ``tools/head_statistics.py``.

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

from ...core.errors import MotionError
from .curves import FPS, Curve
from .prosody import Prosody, prosody

AXES = ("yaw", "pitch", "roll", "x", "y")
NECK = (0.0, 1.9, 1.0)
"""Center of rotation of a head, from the middle of the eyes in inter-ocular distances: down, and back into the neck."""
FAST_SECONDS, SLOW_SECONDS = 0.08, 0.4
"""Time scales at which nods and posture follow prosody."""
REBOUND = 4
"""After this multiple of the time scales the head comes back."""
NOD_SECONDS, POSTURE_SECONDS = 0.12, 0.8
"""Correlation lengths of the noise in nods and posture."""
DRIVES = {
    "yaw": ("pitch", "pitch"),
    "pitch": ("loudness", "loudness"),
    "roll": ("pitch", "pitch"),
    "x": ("pitch", "pitch"),
    "y": ("loudness", "loudness"),
}
"""For each axis, the prosody that nods and posture follow."""
DELAY_SECONDS = (0.0, 0.0, 0.12, 0.2, 0.24)
"""For each axis, how late it follows; different delays keep the axes from moving as one."""


@dataclass(frozen=True, eq=False)
class HeadPath:
    """Rotation and shift of a head in ``T`` frames at 25 fps, relative to its pose in the clip."""

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
        """Return the same motion, with all values 0 in the first frame."""
        return HeadPath(*(getattr(self, axis) - getattr(self, axis)[0] for axis in AXES))


def head_path(
    rng: np.random.Generator, audio_16k: npt.NDArray[np.float32], frames: int, liveliness: float = 1.0
) -> HeadPath:
    """Return a random path for speech.

    For several paths of one clip, call `prosodic_path` once and `add_random_motion` for each.

    Args:
        rng: source of the motion that prosody does not explain.
        audio_16k: ``[S]`` at 16 kHz.
        frames: number of frames at 25 fps.
        liveliness: factor of everything; 1 moves as real speakers do on average.
    """
    return add_random_motion(rng, prosodic_path(audio_16k, frames), liveliness)


def prosodic_path(audio_16k: npt.NDArray[np.float32], frames: int) -> HeadPath:
    """Return the part of a path that depends on speech ``[S]`` at 16 kHz: nods on accents, posture with phrases."""
    gain = np.array([_gains()["gain_of_prosody"][axis] for axis in AXES])
    return HeadPath(*np.einsum("atk,ak->at", prosodic_drives(prosody(audio_16k, frames)), gain))


def add_random_motion(rng: np.random.Generator, path: HeadPath, liveliness: float = 1.0) -> HeadPath:
    """Return a path with smooth noise added.

    Args:
        rng: source of the noise.
        path: of `prosodic_path`.
        liveliness: factor of everything; 1 moves as real speakers do on average.
    """
    curves = []
    for axis in AXES:
        nod, posture = _gains()["gain_of_chance"][axis]
        noise = nod * smooth_noise(rng, len(path), NOD_SECONDS)
        noise += posture * smooth_noise(rng, len(path), POSTURE_SECONDS)
        curves.append(liveliness * (getattr(path, axis) + noise))
    return HeadPath(*curves)


def move_head(landmarks: npt.NDArray[np.float32], path: HeadPath) -> npt.NDArray[np.float32]:
    """Return landmarks with the head turned about its neck and shifted, as a distant camera sees it.

    Args:
        landmarks: ``[T, 68, 3]`` in pixels.
        path: of ``T`` frames.

    Raises:
        MotionError: another shape, or a path of another length.
    """
    if landmarks.shape != (len(path), 68, 3):
        raise MotionError("head path", f"landmarks [{len(path)}, 68, 3]", f"the shape {list(landmarks.shape)}")
    # The axes of the mean face, because the clip's own head may be tilted.
    mean = landmarks.mean(axis=0, dtype=np.float64)
    eyes, mouth = mean[36:48].mean(axis=0), mean[48:60].mean(axis=0)
    across = mean[45] - mean[36]
    size = np.linalg.norm(across)
    across /= size
    down = mouth - eyes - across * ((mouth - eyes) @ across)
    down /= np.linalg.norm(down)
    neck = eyes + size * (np.array(NECK) @ [across, down, np.cross(across, down)])
    shift = size * np.stack([path.x, path.y, np.zeros(len(path))], axis=1) + neck
    turned = (landmarks - neck) @ head_rotations(path.yaw, path.pitch, path.roll).transpose(0, 2, 1)
    return np.asarray(turned + shift[:, None], dtype=np.float32)


def head_rotations(yaw: Curve, pitch: Curve, roll: Curve) -> Curve:
    """Return the matrices ``[T, 3, 3]`` of angles ``[T]`` (radians): roll about z, times pitch, times yaw about y."""
    import torch  # imported late, because opening a corpus needs no torch

    from ...geometry.rotations import euler_angles_to_matrix

    angles = torch.from_numpy(np.stack([roll, pitch, yaw], axis=-1))
    return np.asarray(euler_angles_to_matrix(angles, "ZXY").numpy())


def prosodic_drives(speech: Prosody) -> Curve:
    """Return what nods and posture follow, ``[axes, T, 2]``: prosody with the inertia of a head, before the gains."""
    # Semitones in units of 6, so that both drives have a similar range.
    curves = {"loudness": speech.loudness, "pitch": speech.pitch / 6}
    bands = {
        (name, seconds): _low_pass(curve, seconds) - _low_pass(curve, REBOUND * seconds)
        for name, curve in curves.items()
        for seconds in (FAST_SECONDS, SLOW_SECONDS)
    }
    result = np.zeros((len(AXES), len(speech.loudness), 2))
    for axis, (sources, seconds) in enumerate(zip(DRIVES.values(), DELAY_SECONDS, strict=True)):
        delay = round(seconds * FPS)
        for band, (source, scale) in enumerate(zip(sources, (FAST_SECONDS, SLOW_SECONDS), strict=True)):
            result[axis, delay:, band] = bands[source, scale][: len(result[axis]) - delay]
    return result


def _low_pass(curve: Curve, seconds: float) -> Curve:
    """Return a curve after three equal first-order lags of ``seconds``; it looks back only."""
    kernel = _lag_kernel(seconds)
    return np.convolve(curve, kernel)[: len(curve)]


@cache
def _lag_kernel(seconds: float) -> Curve:
    time = np.arange(1, round(12 * seconds * FPS) + 2) / FPS
    # The impulse response of three equal lags in series.
    kernel = time**2 * np.exp(-time / seconds)
    return np.asarray(kernel / kernel.sum())


def smooth_noise(rng: np.random.Generator, frames: int, seconds: float) -> Curve:
    """Draw a stationary Gaussian process ``[frames]`` of variance 1, autocorrelation ``exp(-t^2 / (2 seconds^2))``."""
    kernel = _gaussian_kernel(seconds)
    return np.convolve(rng.standard_normal(frames + len(kernel) - 1), kernel, mode="valid")


@cache
def _gaussian_kernel(seconds: float) -> Curve:
    reach = int(4 * seconds * FPS / np.sqrt(2)) + 1
    kernel = np.exp(-((np.arange(-reach, reach + 1) / FPS / seconds) ** 2))
    # Normalized for variance 1, not for sum 1.
    return np.asarray(kernel / np.sqrt(np.sum(kernel**2)))


@cache
def _gains() -> dict[str, dict[str, list[float]]]:
    text = (files(__package__) / "head_statistics.json").read_text("utf-8")
    return dict(json.loads(text)["head_path"])
