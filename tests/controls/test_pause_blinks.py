"""Blinks at ends of phrases: where they come, how many, and the same in a stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.controls.pause_blinks import REFRACTORY_S, BlinkClock

RATE = 16_000


def phrases(seconds: float, pause: float, count: int) -> np.ndarray:
    """Noise in phrases of a length, each followed by a pause."""
    rng = np.random.default_rng(0)
    parts = [(0.2 * rng.standard_normal(round(seconds * RATE)), np.zeros(round(pause * RATE))) for _ in range(count)]
    return np.concatenate([part for pair in parts for part in pair]).astype(np.float32)


def still(seconds: float, fps: int = 25) -> hm.Motion:
    representation = hm.build({"generator": "causal-flow"}, device="cpu").representation
    pose = representation.neutral()
    values = pose.expand(round(seconds * fps), -1, -1)
    return hm.Motion(values, fps, representation.spec.model_dump(mode="json"))


def begins(motion: hm.Motion) -> np.ndarray:
    """Times (s) at which eyes begin to close."""
    pairs = motion.build_representation().openings["left_eye"]
    upper, lower = zip(*pairs, strict=True)
    gap = (motion.values[:, list(upper)] - motion.values[:, list(lower)]).norm(dim=-1).mean(1)
    closing = (gap < 0.999 * gap[0]).numpy()
    return np.flatnonzero(closing[1:] & ~closing[:-1]) / float(motion.fps)


def test_most_blinks_begin_when_a_phrase_has_ended() -> None:
    speech, near, total = phrases(3.5, 0.7, 40), 0, 0
    for seed in range(3):
        times = begins(hm.controls.BlinkAtPauses(15, seed)(still(len(speech) / RATE), speech, RATE))
        after = times % 4.2 - 3.5
        near, total = near + int(((after > -0.1) & (after < 0.3)).sum()), total + len(times)
    assert near / total > 0.5 > 4 * 0.4 / 4.2
    assert total / 3 / (len(speech) / RATE) * 60 == pytest.approx(15, rel=0.3)


def test_in_silence_they_come_at_the_rate_of_people_at_rest() -> None:
    clock = BlinkClock(rate=15, seed=1)
    begin = []
    for _ in range(100 * 60 * 20):
        clock.advance(is_voiced=False)
        if not begin or clock.begin != begin[-1]:
            begin.append(clock.begin)
    assert clock.blinks / 20 == pytest.approx(15, rel=0.15)
    assert np.diff(begin[1:]).min() >= REFRACTORY_S - 0.011


def test_the_same_in_a_stream_at_any_rate_and_after_a_snapshot(tmp_path: Path) -> None:
    pipe = hm.build({"generator": {"type": "causal-flow", "width": 8, "blocks": 1}, "steps_per_frame": 2,
                     "audio_encoder": {"type": "log-mel", "hop": 320}}, seed=1, device="cpu")  # fmt: skip
    speech, controls = phrases(1.0, 0.5, 6), [hm.controls.blink_at_pauses(40, 3)]
    whole = pipe.generate((speech, RATE), controls=controls)
    assert (whole.values - pipe.generate((speech, RATE)).values).abs().max() > 1e-3
    session, parts = pipe.stream(controls=controls), []
    for chunk in np.split(speech, [1000, 1001, 50_000]):
        parts.append(session.push(chunk))
    continued = pipe.restore(session.snapshot(tmp_path / "session.safetensors"))
    streamed = torch.cat([part.values for part in (*parts, continued.flush())])
    assert (streamed - whole.values).abs().max() < 1e-5
    slow, fast = (begins(controls[0](still(9, fps), speech, RATE)) for fps in (25, 100))  # type: ignore[operator]
    assert len(slow) == len(fast) and np.abs(slow - fast).max() < 0.06


def test_wrong_numbers_and_missing_speech_are_one_error() -> None:
    with pytest.raises(hm.SpecError, match="rate"):
        hm.controls.blink_at_pauses(61)
    with pytest.raises(hm.AudioError, match="the audio of the motion"):
        hm.controls.blink_at_pauses(still(1), 15)
    motion = still(1)
    assert torch.equal(hm.controls.BlinkAtPauses(0)(motion, phrases(0.5, 0.5, 1), RATE).values, motion.values)
