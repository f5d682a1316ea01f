"""How many frames speech and mouth are apart, without a trained network.

The mouth opens when it gets louder. Both are taken as changes from frame to frame, because levels drift; loudness is
that of 500 to 2500 Hz, where vowels are, in dB. One clip of a few seconds seldom says more than a guess; the mean of a
group does. What chance would give is found by turning each clip's speech around against its motion.
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

REACH = 15
"""Largest offset that is looked for, in frames."""
SHORTEST = 2 * REACH
"""Fewer frames say nothing."""
ROOM = 5 * REACH
"""Shorter clips are filled up with stillness, so that chance has room to be measured."""
BAND_HZ = (500, 2500)
BINS = 1024
FLOOR_DB = -40.0
"""What lies further below the loud parts of a clip counts as silence."""
SHUFFLES = 300


@dataclass(frozen=True)
class Offset:
    """By how much speech and mouth are apart."""

    frames: int
    """Negative: the audio is late."""
    strength: float
    """How far the correlation at this offset lies above the best that chance gives, in its standard deviations."""
    curve: Curve
    """Mean correlation at the offsets ``-REACH`` to ``REACH``."""


def level_db(audio: npt.NDArray[np.float32], frames: int, fps: Fraction) -> Curve:
    """Loudness ``[T]`` of each frame's middle in the band of vowels, in dB below the loud parts of the clip."""
    middle = ((np.arange(frames) + 0.5) * float(SAMPLE_RATE / fps)).astype(int)
    padded = np.pad(audio.astype(np.float64), BINS // 2)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, BINS)[np.minimum(middle, len(audio))]
    power = np.abs(np.fft.rfft(pieces * np.hanning(BINS))) ** 2
    hz = np.fft.rfftfreq(BINS, 1 / SAMPLE_RATE)
    band = power[:, (hz >= BAND_HZ[0]) & (hz < BAND_HZ[1])].sum(axis=1)
    return power_db(band / max(np.percentile(band, 95), 1e-9), FLOOR_DB)


def correlation(opening: Curve, level: Curve) -> Curve | None:
    """Correlation ``[N]`` of the changes of two curves ``[T]`` at every circular shift; None: too short or constant.

    Element ``k`` belongs to the offset ``k``, and ``-k`` counts from the end; negative: the audio is late.
    """
    if len(opening) < SHORTEST:
        return None
    changes = [np.diff(each) - np.diff(each).mean() for each in (opening, level)]
    norm = np.sqrt((changes[0] ** 2).sum() * (changes[1] ** 2).sum())
    if not norm > 1e-9:
        return None
    size = max(len(opening) - 1, ROOM)
    mouth, sound = (np.fft.rfft(each, size) for each in changes)
    return np.asarray(np.fft.irfft(mouth * sound.conj(), size) / norm)


def common_offset(correlations: Sequence[Curve], seed: int = 0) -> Offset:
    """The offset that clips have in common, each weighted by the square root of its length."""
    near = np.arange(-REACH, REACH + 1)
    weights = np.sqrt([len(each) for each in correlations])
    weights /= weights.sum()
    chance = np.random.default_rng(seed)
    curve, turned = np.zeros(len(near)), np.zeros((SHUFFLES, len(near)))
    for weight, each in zip(weights, correlations, strict=True):
        turns = chance.integers(2 * REACH + 1, len(each) - 2 * REACH, size=(SHUFFLES, 1))
        curve += weight * each[near]
        turned += weight * each[(near + turns) % len(each)]
    best = turned.max(axis=1)
    peak = int(curve.argmax())
    # The best of 31 independent normal numbers varies by 0.4 of their deviation; few turns of a short clip vary less.
    least = 0.4 / np.sqrt(sum(map(len, correlations)))
    return Offset(int(near[peak]), float((curve[peak] - best.mean()) / max(best.std(), least)), curve)
