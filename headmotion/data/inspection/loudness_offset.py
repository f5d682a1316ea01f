"""The offset of speech and mouth without a trained network.

The mouth opens when speech gets louder. Both are taken as changes from frame to frame, because levels drift. Loudness
is that of 500 to 2500 Hz, where vowels are, in dB. One clip of a few seconds seldom gives more than a guess; the mean
of a group does. The level that chance reaches is found by shifting each clip's speech circularly against its motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ...media.loudness import power_db
from ..clip import SAMPLE_RATE

Curve = npt.NDArray[np.float64]

MAX_OFFSET = 15
"""Largest offset that is searched for, in frames."""
MIN_FRAMES = 2 * MAX_OFFSET
"""Least length of a clip; a shorter one is not measured."""
PADDED_FRAMES = 5 * MAX_OFFSET
"""Shorter clips are padded with stillness to this length, so that there are enough random shifts."""
BAND_HZ = (500, 2500)
WINDOW = 1024
FLOOR_DB = -40.0
"""What lies further below the loud parts of a clip counts as silence."""
SHIFTS = 300
"""Random shifts by which chance is measured."""


@dataclass(frozen=True)
class CommonOffset:
    """The offset that several clips have in common."""

    frames: int
    """Negative: the audio is late."""
    strength: float
    """How far the correlation at this offset lies above the best that chance gives, in its standard deviations."""
    curve: Curve
    """Mean correlation at the offsets ``-MAX_OFFSET`` to ``MAX_OFFSET``."""


def band_level_db(audio: npt.NDArray[np.float32], frames: int, fps: Fraction) -> Curve:
    """Return the loudness ``[T]`` around the middle of each frame.

    Args:
        audio: ``[S]`` at 16 kHz, -1..1.
        frames: number of frames ``T``.
        fps: frames per second.

    Returns:
        Level in the band of vowels, in dB relative to the loud parts of the clip.
    """
    # A frame shows its middle; the window is centered there.
    middle = ((np.arange(frames) + 0.5) * float(SAMPLE_RATE / fps)).astype(int)
    padded = np.pad(audio.astype(np.float64), WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[np.minimum(middle, len(audio))]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW))) ** 2
    hz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    band = power[:, (hz >= BAND_HZ[0]) & (hz < BAND_HZ[1])].sum(axis=1)
    return power_db(band / max(np.percentile(band, 95), 1e-9), FLOOR_DB)


def correlate_changes(opening: Curve, level: Curve) -> Curve | None:
    """Correlate the changes of two curves ``[T]`` at every circular shift.

    Args:
        opening: width of the mouth.
        level: loudness.

    Returns:
        Correlations ``[N]``. Element ``k`` belongs to the offset ``k``, and ``-k`` counts from the end; a negative
        offset means that the audio is late. None if the curves are too short or constant.
    """
    if len(opening) < MIN_FRAMES:
        return None
    mouth, sound = (np.diff(curve) - np.diff(curve).mean() for curve in (opening, level))
    norm = np.sqrt((mouth**2).sum() * (sound**2).sum())
    if not norm > 1e-9:
        return None
    # One transform gives the correlation at every shift.
    size = max(len(opening) - 1, PADDED_FRAMES)
    return np.asarray(np.fft.irfft(np.fft.rfft(mouth, size) * np.fft.rfft(sound, size).conj(), size) / norm)


def common_offset(correlations: Sequence[Curve], seed: int = 0) -> CommonOffset:
    """Return the offset that clips have in common, each weighted by the square root of its length.

    Args:
        correlations: of `correlate_changes`.
        seed: seed of the random shifts.
    """
    offsets = np.arange(-MAX_OFFSET, MAX_OFFSET + 1)
    # The noise of a correlation falls with the root of the length.
    weights = np.sqrt([len(correlation) for correlation in correlations])
    weights /= weights.sum()
    rng = np.random.default_rng(seed)
    curve, by_chance = np.zeros(len(offsets)), np.zeros((SHIFTS, len(offsets)))
    for weight, correlation in zip(weights, correlations, strict=True):
        # Shifts beyond the offsets that are searched for, on both sides of the circle.
        shifts = rng.integers(2 * MAX_OFFSET + 1, len(correlation) - 2 * MAX_OFFSET, size=(SHIFTS, 1))
        curve += weight * correlation[offsets]
        by_chance += weight * correlation[(offsets + shifts) % len(correlation)]
    best_by_chance = by_chance.max(axis=1)
    peak = int(curve.argmax())
    # The best of 31 independent normal numbers varies by 0.4 of their deviation; few shifts of a short clip vary less.
    min_deviation = 0.4 / np.sqrt(sum(map(len, correlations)))
    strength = (curve[peak] - best_by_chance.mean()) / max(best_by_chance.std(), min_deviation)
    return CommonOffset(int(offsets[peak]), float(strength), curve)
