"""Controls on motion in parts, at any frame rate, and in a session."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import CHANGES, FACES, IDENTITIES, RATE, by_type, neutral, speech, streamed, talking

import headmotion as hm
from headmotion import controls
from headmotion.controls.control import ControlContext

# Pieces and rates


@pytest.mark.parametrize("control", [*IDENTITIES, *CHANGES], ids=by_type)
@given(cuts=st.lists(st.integers(0, 60), max_size=12), face=st.sampled_from(FACES))
@settings(max_examples=12)
def test_a_stream_gives_the_same_frames_as_the_finished_motion(
    control: controls.Control, face: dict[str, Any], cuts: list[int]
) -> None:
    motion, audio = talking(face), speech("-a-", seconds=0.8)
    offline = control(motion, audio, RATE).values
    torch.testing.assert_close(streamed(control, motion, audio, cuts), offline, atol=1e-3, rtol=0)


@pytest.mark.parametrize("control", CHANGES, ids=by_type)
def test_frames_arrive_within_the_stated_lookahead(control: controls.Control) -> None:
    motion, audio = talking(frames=50), speech("-a", seconds=1.0)
    ahead = Fraction(3, 25)  # what the frames themselves wait for
    edit, count, delay = control.start(ControlContext.from_motion(motion)), 0, 0.0
    for k in range(46):
        sent = [int((Fraction(k + j, 25) + ahead) * RATE) for j in (0, 1)]
        count += len(edit(motion.values[k : k + 1], audio[sent[0] if k else 0 : sent[1]], False))
        delay = max(delay, sent[1] / RATE - count / 25)
    assert 1000 * delay < control.lookahead_ms(float(1000 * ahead)) + 40


@pytest.mark.parametrize("control", [c for c in CHANGES if not isinstance(c, controls.Smooth)], ids=by_type)
def test_the_frame_rate_does_not_matter(control: controls.Control) -> None:
    audio = speech("-a-")
    slow = control(talking(frames=75, fps=Fraction(25)), audio, RATE).values
    fast = control(talking(frames=225, fps=Fraction(75)), audio, RATE).values
    torch.testing.assert_close(fast[::3], slow, atol=2e-3, rtol=0)


def test_smoothing_is_nearly_the_same_at_any_frame_rate() -> None:
    slow = hm.controls.smooth(talking(frames=75, fps=Fraction(25)), 160).values
    fast = hm.controls.smooth(talking(frames=225, fps=Fraction(75)), 160).values
    assert (fast[::3] - slow)[9:-9].abs().max() < 1


def add_one(motion: hm.Motion) -> hm.Motion:
    return hm.Motion(motion.values + 1, motion.fps, reference=motion.reference)


CHAINS: dict[str, list[Callable[..., hm.Motion]]] = {
    "all": CHANGES,  # type: ignore[dict-item]
    "a plain function between": [controls.smooth(60), add_one, controls.close_silence(), controls.blink(30)],
    "partial": [partial(controls.smooth, window_ms=90)],
}


@pytest.mark.parametrize("chain", CHAINS)
@given(cuts=st.lists(st.integers(0, 30_000), max_size=6), fps=st.sampled_from([None, 30]))
@settings(max_examples=5)
def test_a_session_gives_the_frames_of_generate(
    pipe: hm.Pipeline, chain: str, cuts: list[int], fps: int | None
) -> None:
    audio, face = speech("-a-", seconds=0.6), neutral(FACES[0])
    offline = pipe.generate((audio, RATE), face, fps=fps, controls=CHAINS[chain])
    edited = pipe.generate((audio, RATE), face, fps=fps)
    for control in CHAINS[chain]:
        speech_of_control = (audio, RATE) if isinstance(control, controls.Control) else ()
        edited = control(edited, *speech_of_control)
    torch.testing.assert_close(offline.values, edited.values, atol=1e-3, rtol=0)
    session = pipe.stream(face, fps=fps, controls=CHAINS[chain])
    bounds = [0, *sorted(min(cut, len(audio)) for cut in cuts), len(audio)]
    parts = [session.push(audio[a:b]) for a, b in itertools.pairwise(bounds)]
    live = hm.Motion.concatenate([*parts, session.flush()])
    torch.testing.assert_close(live.values, offline.values, atol=1e-2, rtol=0)


def test_a_plain_function_may_change_the_rate(pipe: hm.Pipeline) -> None:
    motion = pipe.generate((speech("a"), RATE), controls=[lambda m: m.resample(50)])
    assert (motion.fps, len(motion)) == (50, 50)


def test_the_pipeline_states_the_lookahead(pipe: hm.Pipeline) -> None:
    without_controls = pipe.lookahead_ms()
    assert without_controls is not None and without_controls > 170
    assert pipe.lookahead_ms(controls=[controls.blink(9), controls.close_silence()]) == without_controls
    assert pipe.lookahead_ms(controls=[controls.smooth(90), controls.smooth(10)]) == without_controls + 100
    assert pipe.lookahead_ms(controls=[add_one]) is None
