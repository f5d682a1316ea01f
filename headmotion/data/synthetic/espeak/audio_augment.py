"""Simulated recordings of clean speech: microphones, rooms, noise and gain, all drawn at random."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...clip import SAMPLE_RATE

Samples = npt.NDArray[np.float64]


def simulate_recording(rng: np.random.Generator, speech: Samples) -> npt.NDArray[np.float32]:
    """Return speech ``[S]`` at 16 kHz as a random device in a random room would record it.

    The result is as long as the speech, in -1..1, and not delayed.
    """
    sound = _add_reverberation(rng, speech) if rng.random() < 0.6 else speech
    sound = _apply_microphone(rng, sound)
    sound = sound + _noise(rng, len(sound)) * _level(sound) * 10 ** (-rng.uniform(15, 50) / 20)
    # The gain comes last, because it scales the noise too.
    sound = sound * 10 ** (rng.uniform(-34, -16) / 20) / max(_level(sound), 1e-9)
    return np.asarray(np.clip(sound, -1, 1), dtype=np.float32)


def _level(sound: Samples) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(sound**2)))


def _fast_size(samples: int) -> int:
    """Return a size of at least ``samples`` whose Fourier transform is fast."""
    return 1 << (samples - 1).bit_length()


def _add_reverberation(rng: np.random.Generator, speech: Samples) -> Samples:
    """Add a tail of noise that decays exponentially (Polack 1988) to the direct sound."""
    decay_seconds = rng.uniform(0.1, 0.6)
    time = np.arange(int(decay_seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.normal(0, 1, len(time)) * 10 ** (-3 * time / decay_seconds)
    # A gap before the first reflection, 1 to 10 ms.
    tail[: int(rng.uniform(0.001, 0.01) * SAMPLE_RATE)] = 0
    tail *= 10 ** (-rng.uniform(0, 15) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = _fast_size(len(speech) + len(tail))
    return np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(tail, size), size)[: len(speech)]


def _apply_microphone(rng: np.random.Generator, sound: Samples) -> Samples:
    """Apply a smooth random frequency response of a few decibels, and sometimes a narrow band."""
    size = _fast_size(len(sound) + SAMPLE_RATE // 10)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    # A random curve over octaves, as responses of microphones are drawn.
    octave = np.log2(np.maximum(hz, 50) / 50)
    decibels = np.interp(octave, np.linspace(0, 7.4, 6), rng.normal(0, 4, 6))
    low_hz = rng.uniform(40, 120)
    high_hz = rng.uniform(3000, 5000) if rng.random() < 0.25 else rng.uniform(6500, 8000)
    # Slopes of Butterworth filters of fourth order; a real factor delays nothing.
    band = 1 / np.sqrt((1 + (low_hz / np.maximum(hz, 1)) ** 8) * (1 + (hz / high_hz) ** 8))
    return np.fft.irfft(np.fft.rfft(sound, size) * band * 10 ** (decibels / 20), size)[: len(sound)]


def _noise(rng: np.random.Generator, samples: int) -> Samples:
    """Return noise of level 1, white to red, steady or swelling, sometimes with hum of the mains."""
    size = _fast_size(samples)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.normal(0, 1, size)) * np.maximum(hz, 30) ** -rng.uniform(0, 1.0)
    noise = np.fft.irfft(spectrum, size)[:samples]
    time = np.arange(samples) / SAMPLE_RATE
    swell = 1 + rng.uniform(0, 0.8) * np.sin(2 * np.pi * (rng.uniform(0.1, 0.8) * time + rng.random()))
    noise *= swell / max(_level(noise), 1e-9)
    if rng.random() < 0.2:
        mains_hz = rng.choice((50, 60))
        noise += sum(np.sin(2 * np.pi * (k * mains_hz * time + rng.random())) / k for k in range(1, 6))
    return noise / _level(noise)
