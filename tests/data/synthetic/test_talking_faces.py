"""The synthetic corpus: repeatable, speech-like, and coupled as its truth says."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headmotion.core.errors import CorpusError
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.talking_faces import SyntheticClip, synthetic_clip, write_synthetic

CLIPS = [synthetic_clip(seed, 4.0) for seed in range(24)]


def distance(clip: SyntheticClip, pair: tuple[int, int]) -> np.ndarray:
    """Between two landmarks at each frame, in outer-eye distances at that frame."""
    points = clip.landmarks.astype(np.float64)
    first, second = points[:, pair[0]] - points[:, pair[1]], points[:, 36] - points[:, 45]
    return np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)


def loudness(clip: SyntheticClip) -> np.ndarray:
    """Log energy at each frame."""
    return np.log(1e-4 + np.sqrt(np.mean(clip.audio.reshape(-1, 640) ** 2, axis=1)))


def saying(clip: SyntheticClip, test: str) -> np.ndarray:
    """Frames at which a phone of a kind or name is well under way."""
    time = np.arange(len(clip.landmarks)) / 25
    result = np.zeros(len(time), dtype=bool)
    for segment in clip.script.segments:
        if test in (segment.phone.kind, segment.phone.name):
            result |= (time >= segment.start + 0.02) & (time <= segment.end - 0.02)
    return result


def correlation(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    """Mean over clips."""
    return float(np.mean([np.corrcoef(x, y)[0, 1] for x, y in zip(first, second, strict=True)]))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**9), frames=st.integers(25, 120))
def test_clips_are_whole_finite_and_repeatable(seed: int, frames: int) -> None:
    clip = synthetic_clip(seed, frames / 25)
    assert clip.landmarks.shape == (frames, 68, 3) and clip.landmarks.dtype == np.float32
    assert clip.audio.shape == (640 * frames,) and clip.audio.dtype == np.float32
    assert np.isfinite(clip.landmarks).all() and np.abs(clip.audio).max() <= 1
    assert 0.01 < clip.audio.std() < 0.3
    assert clip.fps == Fraction(25) and clip.distribute
    assert clip.script.segments[0].phone.name == clip.script.segments[-1].phone.name == "sil"
    ends = [segment.end for segment in clip.script.segments]
    assert [segment.start for segment in clip.script.segments] == [0.0, *ends[:-1]]
    assert ends[-1] == pytest.approx(frames / 25) and all(np.diff([0.0, *ends]) > 0)
    repeated = synthetic_clip(seed, frames / 25)
    assert np.array_equal(clip.landmarks, repeated.landmarks) and np.array_equal(clip.audio, repeated.audio)


def test_seeds_and_speakers_differ() -> None:
    first, second = synthetic_clip(1, speaker=7), synthetic_clip(2, speaker=7)
    other = synthetic_clip(1, speaker=8)
    assert first.speaker == second.speaker != other.speaker
    assert not np.allclose(first.audio, second.audio)
    said = [[segment.phone.name for segment in clip.script.segments[:4]] for clip in (first, second, other)]
    assert said[0] != said[1]
    assert said[0] == said[2], "what is said follows the seed, who says it follows the speaker"


def test_measured_opening_is_the_ground_truth() -> None:
    for clip in CLIPS:
        measured = distance(clip, (62, 66))
        assert np.corrcoef(measured, clip.face_motion.opening)[0, 1] > 0.98
        assert np.abs(measured - clip.face_motion.opening).mean() < 0.02


def test_lips_touch_in_silence_and_in_bilabials_and_part_in_vowels() -> None:
    for clip in CLIPS:
        opening = clip.face_motion.opening
        silent = saying(clip, "silence")
        # Lips part up to 0.2 s before the voice.
        settled = np.convolve(silent, np.ones(11), mode="same") > 10.5
        assert opening[settled].max(initial=0.0) < 0.004
    together = np.concatenate([clip.face_motion.opening[saying(clip, "m") | saying(clip, "b")] for clip in CLIPS])
    open_vowels = np.concatenate([clip.face_motion.opening[saying(clip, "aa") | saying(clip, "ae")] for clip in CLIPS])
    assert len(together) > 20 and np.median(together) < 0.012
    assert len(open_vowels) > 20 and np.median(open_vowels) > 0.1


def test_openings_are_like_those_of_people() -> None:
    """Real clips (GRID, HDTF, VidTIMIT, MEAD, VoxCeleb2): mean 0.04 to 0.125, std 0.05 to 0.08, 95 % 0.13 to 0.27."""
    measured = np.concatenate([distance(clip, (62, 66)) for clip in CLIPS])
    assert 0.05 < measured.mean() < 0.12
    assert 0.04 < measured.std() < 0.09
    assert 0.13 < np.quantile(measured, 0.95) < 0.27


def test_sound_is_loud_where_lips_are_open_and_lips_do_not_lag() -> None:
    opening = [clip.face_motion.opening for clip in CLIPS]
    loudness_curves = [loudness(clip) for clip in CLIPS]
    by_lag = {
        lag: correlation([x[8:-8] for x in opening], [y[8 + lag : len(y) - 8 + lag] for y in loudness_curves])
        for lag in range(-8, 9)
    }
    best = max(by_lag, key=by_lag.__getitem__)
    assert best in (0, 1), "frames by which the sound follows the lips"
    assert by_lag[best] > 0.6
    assert max(by_lag[-8], by_lag[8]) < 0.3
    shuffled = correlation([x[8:-8] for x in opening], [y[8:-8] for y in loudness_curves[1:] + loudness_curves[:1]])
    assert abs(shuffled) < 0.3


def test_head_follows_prosody_at_two_time_scales() -> None:
    pitch = [clip.face_motion.pose[:, 1] for clip in CLIPS]
    accent = [clip.script.accent[::8] for clip in CLIPS]
    phrase = [clip.script.phrase[::8] for clip in CLIPS]
    assert correlation(pitch, accent) > 0.25
    assert correlation(pitch, phrase) < -0.3, "the head sinks through a phrase"
    assert correlation([clip.face_motion.brows for clip in CLIPS], accent) > 0.6


def test_blinks_are_independent_of_accents() -> None:
    clips = [synthetic_clip(seed, 20.0, clean=True) for seed in range(6)]
    blink = np.concatenate([clip.face_motion.blink for clip in clips])
    loudness_curves = np.concatenate([loudness(clip) for clip in clips])
    assert abs(np.corrcoef(blink, loudness_curves)[0, 1]) < 0.08
    blinks = np.sum(np.diff((blink > 0.5).astype(int)) > 0)
    assert 12 <= blinks <= 50, "about 15 a minute in 120 s"
    assert blink.max() == 1.0
    closed = blink > 0.99
    lids = np.concatenate([distance(clip, (37, 41)) for clip in clips])
    assert np.median(lids[closed]) < 0.35 * np.median(lids[blink == 0])


def test_spectrum_is_that_of_speech() -> None:
    """Energy lies below 1.5 kHz in vowels and above it in hisses."""
    for name, low in (("aa", True), ("ao", True), ("s", False), ("sh", False)):
        shares = []
        for seed in range(12):
            clip = synthetic_clip(seed, clean=True)
            for segment in clip.script.segments:
                if segment.phone.name == name:
                    sound = clip.audio[int(16000 * segment.start) : int(16000 * segment.end)]
                    power = np.abs(np.fft.rfft(sound)) ** 2
                    hz = np.fft.rfftfreq(len(sound), 1 / 16000)
                    shares.append(power[hz < 1500].sum() / power.sum())
        assert (np.median(shares) > 0.7) if low else (np.median(shares) < 0.5), name


def test_pitch_of_the_voice_is_that_of_the_speaker() -> None:
    for seed in range(4):
        clip = synthetic_clip(seed, clean=True)
        loudest = 640 * int(np.argmax(loudness(clip)))
        sound = clip.audio[max(0, loudest - 320) : loudest + 960].astype(np.float64)
        echo = np.fft.irfft(np.abs(np.fft.rfft(sound, 4096)) ** 2)[:400]
        hz = 16000 / (40 + np.argmax(echo[40:]))
        assert 60 < hz < 420
        assert echo[40:].max() > 0.5 * echo[0], "vowels are periodic"


def test_written_corpus_reads_back(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "corpus", clips=6, seed=3, seconds=1.0, clips_per_speaker=2, val_every=3)
    corpus = open_corpus(folder)
    assert len(corpus) == 6 and len({entry.speaker for entry in corpus.entries}) == 3
    assert [entry.split for entry in corpus.entries] == ["train"] * 4 + ["val"] * 2
    made = synthetic_clip(3_000_001, 1.0, speaker=3_000_000)
    assert corpus[1].id == made.id
    assert np.array_equal(corpus[1].landmarks, made.landmarks)
    np.testing.assert_allclose(corpus[1].audio, made.audio, atol=1 / 32768)
    assert len(corpus.select(distributable=True)) == len(corpus)


def test_too_short_and_too_few_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="at least one second"):
        synthetic_clip(0, 0.5)
    with pytest.raises(CorpusError, match="at least one clip"):
        write_synthetic(tmp_path / "corpus", clips=0)


def test_no_torch_is_needed() -> None:
    code = "import sys, headmotion.data.synthetic.talking_faces; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
