"""Recordings of clean speech: microphones, rooms, noise and gain, all drawn by chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...clip import SAMPLE_RATE

Sound = npt.NDArray[np.float64]


def recorded(chance: np.random.Generator, speech: Sound) -> npt.NDArray[np.float32]:
    """Speech ``[S]`` at 16 kHz as some device in some room would record it: as long, in -1..1, and not delayed."""
    sound = _in_a_room(chance, speech) if chance.random() < 0.6 else speech
    sound = _through_a_microphone(chance, sound)
    sound = sound + _noise(chance, len(sound)) * _level(sound) * 10 ** (-chance.uniform(15, 50) / 20)
    sound = sound * 10 ** (chance.uniform(-34, -16) / 20) / max(_level(sound), 1e-9)
    return np.asarray(np.clip(sound, -1, 1), dtype=np.float32)


def _level(sound: Sound) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def _quick(samples: int) -> int:
    """A size not below ``samples`` whose Fourier transform is fast."""
    return 1 << (samples - 1).bit_length()


def _in_a_room(chance: np.random.Generator, speech: Sound) -> Sound:
    """An impulse response of noise that decays exponentially (Polack 1988), after the direct sound."""
    reverberation = chance.uniform(0.1, 0.6)
    time = np.arange(int(reverberation * SAMPLE_RATE)) / SAMPLE_RATE
    tail = chance.normal(0, 1, len(time)) * 10 ** (-3 * time / reverberation)
    tail[: int(chance.uniform(0.001, 0.01) * SAMPLE_RATE)] = 0
    tail *= 10 ** (-chance.uniform(0, 15) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = _quick(len(speech) + len(tail))
    return np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(tail, size), size)[: len(speech)]


def _through_a_microphone(chance: np.random.Generator, sound: Sound) -> Sound:
    """A smooth random curve of some decibels over the logarithm of frequency, and sometimes a narrow band."""
    size = _quick(len(sound) + SAMPLE_RATE // 10)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    octave = np.log2(np.maximum(hz, 50) / 50)
    decibels = np.interp(octave, np.linspace(0, 7.4, 6), chance.normal(0, 4, 6))
    low = chance.uniform(40, 120)
    high = chance.uniform(3000, 5000) if chance.random() < 0.25 else chance.uniform(6500, 8000)
    # Slopes of Butterworth filters of fourth order; a real factor delays nothing.
    band = 1 / np.sqrt((1 + (low / np.maximum(hz, 1)) ** 8) * (1 + (hz / high) ** 8))
    return np.fft.irfft(np.fft.rfft(sound, size) * band * 10 ** (decibels / 20), size)[: len(sound)]


def _noise(chance: np.random.Generator, samples: int) -> Sound:
    """Noise of level 1, white to red, steady or swelling, sometimes with hum of the mains."""
    size = _quick(samples)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    shaped = np.fft.rfft(chance.normal(0, 1, size)) * np.maximum(hz, 30) ** -chance.uniform(0, 1.0)
    noise = np.fft.irfft(shaped, size)[:samples]
    time = np.arange(samples) / SAMPLE_RATE
    swell = 1 + chance.uniform(0, 0.8) * np.sin(2 * np.pi * (chance.uniform(0.1, 0.8) * time + chance.random()))
    noise *= swell / max(_level(noise), 1e-9)
    if chance.random() < 0.2:
        mains = chance.choice((50, 60))
        noise += sum(np.sin(2 * np.pi * (k * mains * time + chance.random())) / k for k in range(1, 6))
    return noise / _level(noise)
