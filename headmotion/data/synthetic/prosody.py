"""Loudness and pitch of speech in each video frame, which nods and posture follow.

Loudness is the level of a frame in decibels; pitch is the strongest peak of the autocorrelation (Rabiner 1977), divided
by the window's own as in Boersma (1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...media.loudness import power_db
from ..clip import SAMPLE_RATE
from .curves import FPS, Curve

SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
WINDOW = 1024
LOUD_RANGE_DB = 40.0
"""A frame that is further below the loud ones counts as silent."""
LOWEST_HZ, HIGHEST_HZ = 65.0, 400.0
MIN_VOICED = 0.5
"""Least normalized autocorrelation of a voiced frame."""


@dataclass(frozen=True, eq=False)
class Prosody:
    """Loudness and pitch of speech at 25 fps; neither depends on the gain."""

    loudness: Curve
    """``[T]``: 0 silent, 1 as loud as the loudest twentieth of the frames."""
    pitch: Curve
    """``[T]`` in semitones above the median of the voiced frames; 0 where unvoiced."""
    voiced: npt.NDArray[np.bool_]
    """``[T]``."""


def prosody(audio_16k: npt.NDArray[np.float32], frames: int) -> Prosody:
    """Measure loudness and pitch of speech.

    Args:
        audio_16k: ``[S]`` at 16 kHz; beyond its end there is silence.
        frames: number of frames at 25 fps.
    """
    margin = (WINDOW - SAMPLES_PER_FRAME) // 2
    padded = np.zeros(frames * SAMPLES_PER_FRAME + 2 * margin)
    samples = np.asarray(audio_16k[: frames * SAMPLES_PER_FRAME], dtype=np.float64)
    padded[margin : margin + len(samples)] = samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::SAMPLES_PER_FRAME] * _TAPER
    spectra = np.abs(np.fft.rfft(windows, 2 * WINDOW)) ** 2 * _AUDIBLE
    power = spectra.mean(axis=1)
    loud_power = np.quantile(power, 0.95) if frames else 0.0
    # Digital silence has neither loudness nor pitch.
    if loud_power <= 1e-9:
        return Prosody(np.zeros(frames), np.zeros(frames), np.zeros(frames, dtype=bool))
    level = power_db(np.maximum(power / loud_power, 1e-9))
    loudness = np.clip(1 + level / LOUD_RANGE_DB, 0, 1)
    hz, strength = _pitch(spectra)
    voiced = (strength > MIN_VOICED) & (loudness > 0.3)
    pitch = np.zeros(frames)
    if voiced.any():
        # Relative to the median, so that high and low voices move a head equally.
        pitch[voiced] = 12 * np.log2(hz[voiced] / np.median(hz[voiced]))
    return Prosody(loudness, np.clip(pitch, -8, 8), voiced)


def _pitch(spectra: Curve) -> tuple[Curve, Curve]:
    """Return the frequency (Hz) of the best period and its normalized autocorrelation, ``[T]`` each."""
    autocorrelation = np.fft.irfft(spectra * _LOW)
    normalized = autocorrelation[:, _LAGS[0] - 1 : _LAGS[-1] + 2] / np.maximum(autocorrelation[:, :1], 1e-12)
    inner = normalized[:, 1:-1]
    peak = (inner >= normalized[:, :-2]) & (inner >= normalized[:, 2:])
    # Among almost equal peaks the shortest period is the true one; the others are its multiples.
    score = np.where(peak, inner / _TAPER_AUTOCORRELATION - 0.03 * np.log2(_LAGS / _LAGS[0]), -1)
    best = np.argmax(score, axis=1)
    return SAMPLE_RATE / _LAGS[best], score[np.arange(len(best)), best]


_TAPER = np.hanning(WINDOW + 2)[1:-1]
_LAGS = np.arange(int(SAMPLE_RATE / HIGHEST_HZ), int(SAMPLE_RATE / LOWEST_HZ) + 1)
_TAPER_AUTOCORRELATION = np.correlate(_TAPER, _TAPER, "full")[WINDOW - 1 :][_LAGS] / np.sum(_TAPER**2)
_HZ = np.fft.rfftfreq(2 * WINDOW, 1 / SAMPLE_RATE)
_AUDIBLE, _LOW = (_HZ > 70).astype(np.float64), (_HZ < 1200).astype(np.float64)
"""Rumble and hum are not speech; harmonics above 1200 Hz blur the period."""
