"""The voice of a synthetic speaker: a glottal source through formants, and filtered noise.

Source and filter are those of Klatt (1980); the filter is applied to overlapping windows in the frequency domain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..clip import SAMPLE_RATE
from .curves import STEPS_PER_SECOND, Curve, smooth
from .script import Script

# Windows of 20 ms overlap by three quarters; the transform is longer, so that filtered windows do not wrap around.
HOP = SAMPLE_RATE // STEPS_PER_SECOND
WINDOW = 4 * HOP
BINS = 1024
BANDWIDTHS_HZ = (70, 90, 130, 200, 300, 400, 500)
"""Of the formants."""


@dataclass(frozen=True)
class Voice:
    """What makes one voice differ from another."""

    base_hz: float
    """Fundamental frequency at rest."""
    formant_scale: float
    """Formants relative to an average man's: 1.17 for an average woman."""
    tilt_hz: float
    """Above this the source falls by another 6 dB per octave."""
    breath: float
    """Amplitude of noise in voiced sounds."""
    syllables_per_second: float


def make_voice(rng: np.random.Generator) -> Voice:
    """Return the voice of a random adult or child, 70 to 300 Hz."""
    scale = rng.uniform(0.85, 1.2)
    # Short vocal tracts go with high voices, with much variation.
    base = 110 * 2 ** (3.2 * (scale - 0.95) + rng.normal(0, 0.22))
    return Voice(
        base_hz=float(np.clip(base, 70, 300)),
        formant_scale=scale,
        tilt_hz=rng.uniform(2000, 6000),
        breath=rng.uniform(0.01, 0.06),
        syllables_per_second=rng.uniform(3.8, 5.8),
    )


def speak(rng: np.random.Generator, script: Script, voice: Voice, clean: bool = False) -> npt.NDArray[np.float32]:
    """Return the sound of a script.

    Args:
        rng: source of jitter, noise and room.
        script: what is said.
        voice: who says it.
        clean: without a room and background noise.

    Returns:
        Audio ``[S]`` at 16 kHz, -1..1.
    """
    samples = round(script.seconds * SAMPLE_RATE)
    loudness = _loudness(script)
    source = _glottal_pulses(rng, script, voice, samples)
    voiced = smooth(script.steps([_voicing(s.phone.kind, s.phone.voice) for s in script.segments]), 0.008) * loudness
    tract = _vocal_tract(script, voice)
    noise = rng.normal(0, 1, samples)
    sound = _filter(source, tract * voiced[:, None])
    sound += _filter(noise, tract * (voice.breath * voiced)[:, None])
    sound += _filter(noise, _friction(script, voice) * loudness[:, None])
    # Levels of -32 to -20 dB of full scale, which are usual in recordings.
    sound *= 10 ** (rng.uniform(-32, -20) / 20) / np.sqrt(np.mean(sound**2))
    if not clean:
        sound = _add_room_and_noise(rng, sound)
    return np.asarray(np.clip(sound, -1, 1), dtype=np.float32)


def _voicing(kind: str, voice: float) -> float:
    # Little of the voice gets out while the mouth is closed.
    return 0.15 * voice if kind == "stop" else voice


def _loudness(script: Script) -> Curve:
    """Return the amplitude ``[N]``: 5 dB more on accents, falling by 5 dB through a phrase."""
    return np.asarray(10 ** ((5 * script.accent + 2.5 * script.phrase) / 20))


def _glottal_pulses(rng: np.random.Generator, script: Script, voice: Voice, samples: int) -> Curve:
    """Return all harmonics below 7.2 kHz with amplitude 1 ``[S]``, at the pitch of the script with a little jitter."""
    jitter = smooth(rng.normal(0, 0.6, len(script.pitch)), 0.02)
    hz_per_step = voice.base_hz * 2 ** ((script.pitch + jitter) / 12)
    hz = np.interp(np.arange(samples) / HOP, np.arange(len(hz_per_step)), hz_per_step)
    half_phase = np.pi * np.cumsum(hz) / SAMPLE_RATE
    # As many as fit below 0.45 of the sample rate, so that none folds back.
    harmonics = 2 * np.floor(0.45 * SAMPLE_RATE / hz) + 1
    sine = np.sin(half_phase)
    peak = np.abs(sine) < 1e-6
    # The closed form of the sum of cos(2 k half_phase) for k from 1 to (harmonics - 1) / 2.
    ratio = np.where(peak, harmonics, np.sin(harmonics * half_phase) / np.where(peak, 1.0, sine))
    return np.asarray((ratio - 1) / 2)


def _vocal_tract(script: Script, voice: Voice) -> npt.NDArray[np.complex128]:
    """Return the spectra ``[N, BINS / 2 + 1]`` of glottis, vocal tract and lips."""
    angle = 2 * np.pi * np.arange(BINS // 2 + 1) / BINS
    z = np.exp(-1j * angle)
    hz = angle * SAMPLE_RATE / (2 * np.pi)
    spectrum = np.ones((len(script.index), len(hz)), dtype=np.complex128)
    # Radiation at the lips rises with frequency, the source falls with it.
    spectrum *= hz / (hz + 60) / ((1 + hz / 250) * (1 + hz / voice.tilt_hz))
    for number, width in enumerate(BANDWIDTHS_HZ):
        centers = [
            # Formants above the third are those of a uniform tube of 17.5 cm, in every phone.
            voice.formant_scale * (s.phone.formants[number] if number < 3 else 500 + 1000 * number)
            for s in script.segments
        ]
        center = np.minimum(smooth(script.steps(centers), 0.018), 7500)[:, None]
        # One resonance (Klatt 1980), with gain 1 at 0 Hz.
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        b, c = -2 * radius * np.cos(2 * np.pi * center / SAMPLE_RATE), radius**2
        spectrum *= (1 + b + c) / (1 + b * z + c * z * z)
    return spectrum


def _friction(script: Script, voice: Voice) -> Curve:
    """Return the spectra ``[N, BINS / 2 + 1]`` of friction, and of the bursts that end stops."""
    time = np.arange(len(script.index)) / STEPS_PER_SECOND
    start, end = (script.steps([getattr(s, edge) for s in script.segments]) for edge in ("start", "end"))
    stop = script.steps([float(s.phone.kind == "stop") for s in script.segments]) > 0
    # A stop is silent until its burst, in its last 22 ms.
    audible = np.where(stop, (end - time < 0.022) & (time > start), True)
    amplitude = smooth(script.steps([s.phone.noise for s in script.segments]) * audible, 0.005)
    center = script.steps([s.phone.noise_hz * voice.formant_scale**0.5 for s in script.segments])
    width = script.steps([s.phone.noise_width_hz for s in script.segments])
    hz = np.arange(BINS // 2 + 1) * SAMPLE_RATE / BINS
    shape = np.exp(-0.5 * ((hz - center[:, None]) / width[:, None]) ** 2)
    return np.asarray(amplitude[:, None] * shape)


def _filter(sound: Curve, spectra: Curve | npt.NDArray[np.complex128]) -> Curve:
    """Filter a sound ``[S]`` by spectra ``[N, BINS / 2 + 1]``, one per `HOP` samples, by overlap-add."""
    count = len(spectra)
    padded = np.concatenate([np.zeros(WINDOW // 2), sound, np.zeros(WINDOW + BINS)])
    # Periodic, so that overlapping windows sum to 1.
    window = np.hanning(WINDOW + 1)[:-1] / 2
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: count * HOP : HOP] * window
    windows = np.fft.irfft(np.fft.rfft(windows, BINS) * spectra, BINS)
    result = np.zeros(count * HOP + BINS + HOP)
    # Hop by hop instead of window by window, which would take a loop over all windows.
    for offset in range(0, BINS, HOP):
        part = windows[:, offset : offset + HOP]
        block = np.zeros((count, HOP))
        block[:, : part.shape[1]] = part
        result[offset : offset + count * HOP] += block.ravel()
    return result[WINDOW // 2 : WINDOW // 2 + len(sound)]


def _add_room_and_noise(rng: np.random.Generator, sound: Curve) -> Curve:
    """Add, half of the time, a short reverberation, and always noise 25 to 55 dB below the speech, dull or bright."""
    samples = len(sound)
    level = np.sqrt(np.mean(sound**2))
    if rng.random() < 0.5:
        decay = rng.uniform(0.1, 0.35)
        tail = rng.normal(0, 1, SAMPLE_RATE // 2) * np.exp(-6.9 * np.arange(SAMPLE_RATE // 2) / (decay * SAMPLE_RATE))
        # The first reflections come after 2.5 ms.
        tail[:40] = 0
        tail *= rng.uniform(0.1, 0.5) / np.sqrt(np.sum(tail**2))
        tail[0] = 1.0
        size = samples + len(tail)
        sound = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[:samples]
    spectrum = np.fft.rfft(rng.normal(0, 1, samples))
    spectrum *= (1 + np.arange(len(spectrum)) / len(spectrum) * 80) ** -rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum, samples)
    return np.asarray(sound + noise * level / np.sqrt(np.mean(noise**2)) * 10 ** (-rng.uniform(25, 55) / 20))
