"""Diversity, beats and blinks."""

from itertools import combinations
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from moving import FACE, KEYPOINTS, clip_of, context, rest_of

import headmotion as hm
from headmotion.core.errors import MotionError, SpecError
from headmotion.core.interfaces.metric import MetricValues
from headmotion.data.synthetic.talking_faces import synthetic_clip
from headmotion.metrics.beat import beat_alignment, motion_beats, speech_onsets
from headmotion.metrics.blink import count_blinks
from headmotion.metrics.specs import BeatSpec, BlinkSpec, DiversitySpec


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    metric = DiversitySpec().build(context(KEYPOINTS))
    rng = np.random.default_rng(0)
    motions = [rest_of(KEYPOINTS).numpy() + rng.normal(size=(5, 4, 2)) for _ in range(3)]
    expected = np.mean([np.linalg.norm(a - b, axis=-1).mean() for a, b in combinations(motions, 2)])
    size = np.median([np.linalg.norm(a[:, 0] - a[:, 1], axis=-1) for a in motions])
    first, *others = map(torch.from_numpy, motions)
    result = metric.figures([metric.observe(clip_of(KEYPOINTS, first, others=tuple(others)))]).values
    assert result["diversity_scale"] == pytest.approx(expected / size, rel=0.01)
    identical = metric.figures([metric.observe(clip_of(KEYPOINTS, first, others=(first,)))]).values
    assert identical == {"diversity_scale": 0.0}
    with pytest.raises(MotionError, match="two seeds"):
        metric.observe(clip_of(KEYPOINTS, first))
    with pytest.raises(MotionError, match="one length"):
        metric.observe(clip_of(KEYPOINTS, first, others=(first[:3],)))


def test_beat_alignment_by_hand() -> None:
    result = beat_alignment(np.array([1.0, 2.0]), np.array([1.05, 3.0, 2.1]), 0.05)
    assert result == pytest.approx((np.exp(-0.5) + np.exp(-2)) / 2)
    assert beat_alignment(np.array([1.0]), np.array([0.0, 1.0]), 0.05) == 1.0


def clicks(*seconds: float) -> np.ndarray:
    wave = np.zeros(3 * 16_000)
    for second in seconds:
        start = int(second * 16_000)
        wave[start : start + 800] = 0.5 * np.sin(np.arange(800) * 0.6) * np.linspace(1, 0, 800)
    return wave


def test_motion_that_pauses_with_the_clicks_is_aligned() -> None:
    times = (0.52, 1.12, 1.72, 2.32)
    np.testing.assert_allclose(speech_onsets(clicks(*times).astype(np.float32)), times, atol=0.03)
    time = np.arange(75) / 25
    # The speed of a cosine is smallest at its extremes, every 0.6 s.
    swing = {late: np.cos(np.pi * (time - 0.52 - late) / 0.6) for late in (0.0, 0.3)}
    moved = {
        late: rest_of(FACE) + 8 * torch.from_numpy(curve)[:, None, None] * torch.tensor([1.0, 0.0])
        for late, curve in swing.items()
    }
    points = moved[0.0].double() / 50
    np.testing.assert_allclose(motion_beats(points, 25, 5 / 60), times, atol=0.03)
    metric = BeatSpec().build(context(FACE))
    observed = {late: metric.observe(clip_of(FACE, poses, speech=clicks(*times))) for late, poses in moved.items()}
    values = {late: metric.figures([clip]).values["beat_alignment"] for late, clip in observed.items()}
    assert values[0.0] > 0.85 and values[0.3] < 0.01


def test_silence_and_stillness_have_no_beats() -> None:
    metric = BeatSpec().build(context(FACE))
    still = rest_of(FACE).repeat(75, 1, 1)
    moving = still + 8 * torch.sin(torch.arange(75.0))[:, None, None]
    silent = metric.observe(clip_of(FACE, moving, speech=np.zeros(48_000)))
    held = metric.observe(clip_of(FACE, still, speech=clicks(1.0)))
    assert metric.figures([silent, held]) == MetricValues({}, ("no clip has both onsets and motion beats",))
    speaking = metric.observe(clip_of(FACE, moving, speech=clicks(1.0)))
    assert metric.figures([silent, speaking]).notes == ("beat_alignment: defined for 1 of 2 clips",)
    with pytest.raises(MotionError, match="2048 samples"):
        metric.observe(clip_of(FACE, moving, speech=np.zeros(1000)))
    with pytest.raises(MotionError, match="audio of each clip"):
        metric.observe(clip_of(FACE, moving))


def test_blinks_are_short_and_counted_once() -> None:
    opening = np.full(100, 0.3)
    opening[10:14] = 0.1
    opening[50:53] = 0.17
    opening[60:80] = 0.1  # too long for a blink
    opening[90:93] = 0.2  # not closed
    opening[98:] = 0.1
    assert count_blinks(opening, 0.6, 15) == 3


def test_blinks_of_synthetic_speakers_are_counted() -> None:
    metric = BlinkSpec().build(context(FACE))
    observed, real_blinks, seconds = [], 0, 0.0
    for seed in range(4):
        clip = synthetic_clip(seed, 20.0)
        assert clip.face_motion is not None
        shut = np.concatenate([[0], (clip.face_motion.blink > 0.8).astype(int)])
        real_blinks += int((np.diff(shut) == 1).sum())
        seconds += clip.seconds
        observed.append(metric.observe(clip_of(FACE, torch.from_numpy(clip.landmarks[..., :2]))))
    result = metric.figures(observed)
    assert real_blinks >= 10 and result.notes == ()
    assert result.values["blinks_per_minute"] == pytest.approx(60 * real_blinks / seconds, rel=0.2)


def test_blinks_need_open_eyes() -> None:
    with pytest.raises(SpecError, match="openings of eyes, got keypoints with"):
        BlinkSpec().build(context(KEYPOINTS))
    metric = BlinkSpec().build(context(FACE))
    still = rest_of(FACE).repeat(30, 1, 1)
    result = metric.figures([metric.observe(clip_of(FACE, still))])
    assert result == MetricValues({"blinks_per_minute": 0.0}, ("less than a minute of motion",))
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        still[:, upper] = still[:, lower]
    with pytest.raises(MotionError, match="eyes that are open"):
        metric.observe(clip_of(FACE, still))


def test_onsets_are_those_of_librosa() -> None:
    speech = hm.Audio.load(Path(hm.__file__).parent / "assets" / "speech.flac").read()
    envelope = librosa.onset.onset_strength(y=speech, sr=16_000, hop_length=160, n_fft=2048)
    expected = librosa.onset.onset_detect(onset_envelope=envelope, sr=16_000, hop_length=160, units="time")
    assert len(expected) > 10
    np.testing.assert_allclose(speech_onsets(speech), expected)
    assert len(speech_onsets(np.zeros(16_000, np.float32))) == 0
