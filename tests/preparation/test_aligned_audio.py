"""Sound on the time axis of the frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from blobs import nodding, talking, video

from headmotion.media.video_reader import open_video
from headmotion.preparation.aligned_audio import AlignedAudio


def clicks(seconds: int, rate: int) -> np.ndarray:
    """A click at every full second."""
    wave = np.zeros(seconds * rate, np.float32)
    wave[::rate] = 0.9
    return wave


def click_positions(path: Path, frames: int) -> list[int]:
    with open_video(path) as opened:
        wave = AlignedAudio(path, opened.start).read(0, frames)
    assert wave.shape == (640 * frames,)
    return np.flatnonzero(np.abs(wave) > 0.2).tolist()


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize(("audio_at", "video_at"), [(0, 0), (200, 0), (0, 200)])
def test_a_click_is_in_its_frame(tmp_path: Path, rate: int, audio_at: int, video_at: int) -> None:
    path = tmp_path / "a.mkv"
    stamps = [video_at + 40 * k for k in range(100)]
    video(path, nodding(100), clicks(3, rate), stamps_ms=stamps, audio_rate=rate, audio_at_ms=audio_at)
    clicks_at = click_positions(path, 100)
    shift = 16 * (audio_at - video_at)
    expected = [second * 16_000 + shift for second in range(3) if second * 16_000 + shift >= 0]
    detected = [position for position in expected if any(abs(position - each) <= 2 for each in clicks_at)]
    assert detected == expected and all(min(abs(each - e) for e in expected) <= 2 for each in clicks_at)


def test_parts_equal_the_whole_track_and_zeros_follow_its_end(tmp_path: Path) -> None:
    wave = talking(3)
    path = tmp_path / "a.wav"
    soundfile.write(path, wave, 16_000, subtype="FLOAT")
    speech = AlignedAudio(path, Fraction(0))
    np.testing.assert_array_equal(speech.read(10, 20), wave[6400:19200])
    speech.discard_before(25)
    np.testing.assert_array_equal(speech.read(25, 30), wave[16000:35200])
    speech.discard_before(70)
    tail = speech.read(70, 10)
    np.testing.assert_array_equal(tail[:3200], wave[44800:])
    assert len(tail) == 6400 and not tail[3200:].any()


def test_discarded_samples_are_freed(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(16_000 * 60, np.float32), 16_000)
    speech = AlignedAudio(path, Fraction(0))
    for frame in range(0, 1500, 25):
        speech.discard_before(frame)
        assert len(speech._buffer) <= 32_000
