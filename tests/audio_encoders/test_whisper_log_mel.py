"""Whisper's log-mel frames, against its definition in plain NumPy with librosa's filters."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from torch.nn import functional

import headmotion as hm
from headmotion.audio_encoders.whisper.log_mel import HOP, WINDOW, WhisperLogMel

SPEECH = hm.Audio.load(Path(hm.__file__).parent / "assets" / "speech.flac").read(16_000)[: 3 * 16_000]


def log_power(wave: np.ndarray, mels: int) -> np.ndarray:
    """Return the logarithms ``[n, M]`` that Whisper scales, of frames centered at multiples of the hop."""
    padded = np.pad(wave.astype(np.float64), WINDOW // 2, mode="reflect")
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    frames = np.stack([padded[k : k + WINDOW] * taper for k in range(0, len(padded) - WINDOW, HOP)])
    filters = librosa.filters.mel(sr=16_000, n_fft=WINDOW, n_mels=mels)
    return np.log10(np.maximum(np.abs(np.fft.rfft(frames)) ** 2 @ filters.T, 1e-10))


@pytest.mark.parametrize("mels", [80, 128])
def test_frames_are_whispers_with_the_clips_maximum_as_ceiling(mels: int) -> None:
    power = log_power(SPEECH, mels)
    expected = (np.maximum(power, power.max() - 8) + 4) / 4
    frames = WhisperLogMel(mels, float(power.max()))(torch.from_numpy(np.pad(SPEECH, WINDOW // 2))[None])[0]
    # Whisper mirrors the wave at its ends, where we have silence: two frames at the start, one at the end. What single
    # precision leaves of a filter seven decades below the loudest depends on the processor.
    np.testing.assert_allclose(frames[2:299].numpy(), expected[2:299], atol=1e-4)


def test_no_frame_depends_on_another() -> None:
    log_mel, wave = WhisperLogMel(80, 1.5), torch.from_numpy(SPEECH)[None, : WINDOW + 99 * HOP]
    loud = torch.cat([wave, torch.ones(1, 8000)], dim=1)
    assert torch.equal(log_mel(wave), log_mel(loud)[:, :100])
    assert torch.equal(log_mel(wave[:, HOP:]), log_mel(wave)[:, 1:])


def test_what_lies_eight_decades_below_the_ceiling_is_silence() -> None:
    silence, quiet = torch.zeros(1, 4000), 1e-4 * torch.from_numpy(SPEECH)[None, 8000:12_000]
    for ceiling in (0.0, 2.5):
        floor = (ceiling - 8 + 4) / 4
        log_mel = WhisperLogMel(80, ceiling)
        assert log_mel(silence).eq(floor).all() and log_mel(functional.pad(quiet, (0, 0))).min() >= floor
