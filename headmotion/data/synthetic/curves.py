"""Smooth curves over time, from which synthetic voices, faces and bodies are driven."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float64]

STEPS_PER_SECOND = 200
"""Rate of the curves."""
FPS = 25
"""Frames per second of synthetic clips."""
FRAMES = slice(0, None, STEPS_PER_SECOND // FPS)
"""The steps of a curve that belong to frames."""


def smooth(values: Curve, sigma: float, ahead: float | None = None) -> Curve:
    """Return a curve blurred by a Gaussian.

    Args:
        values: ``[N]``.
        sigma: standard deviation of the Gaussian (s).
        ahead: standard deviation towards the future (s), if it differs.
    """
    reach = int(4 * max(sigma, ahead or 0.0) * STEPS_PER_SECOND) + 1
    lag = np.arange(-reach, reach + 1) / STEPS_PER_SECOND
    width = np.where(lag < 0, sigma if ahead is None else ahead, sigma)
    kernel = np.exp(-0.5 * (lag / width) ** 2)
    # Edges repeat, because zeros beyond them would pull the curve to 0.
    padded = np.concatenate([np.repeat(values[:1], reach), values, np.repeat(values[-1:], reach)])
    return np.asarray(np.convolve(padded, kernel / kernel.sum(), mode="valid"))


def idle_motion(rng: np.random.Generator, count: int, seconds: float, size: float) -> Curve:
    """Return smooth noise ``[count]`` that no speech explains.

    Args:
        rng: source of randomness.
        count: number of steps.
        seconds: time after which the noise is no longer like itself.
        size: standard deviation.
    """
    # Noise from beyond both ends, so that the ends vary as much as the middle.
    margin = int(4 * seconds * STEPS_PER_SECOND)
    noise = smooth(rng.normal(0, 1, count + 2 * margin), seconds / 4)[margin : margin + count]
    # The blur divides the standard deviation by the root of its length in steps.
    return np.asarray(noise * size * np.sqrt(2 * np.sqrt(np.pi) * seconds / 4 * STEPS_PER_SECOND))


def blink_curve(rng: np.random.Generator, count: int) -> Curve:
    """Return how far eyes are closed ``[count]``, 0..1: about 15 random blinks a minute, of 0.12 to 0.2 s each."""
    time = np.arange(count) / STEPS_PER_SECOND
    result = np.zeros(count)
    begin = rng.exponential(4.0)
    while begin < time[-1]:
        length = rng.uniform(0.12, 0.2)
        result = np.maximum(result, np.clip(1.6 - 3.2 * np.abs(time - begin) / length, 0, 1))
        begin += 0.3 + rng.exponential(3.7)
    return result
