"""Single samples: a push that completes nothing costs little, loses nothing and delays nothing."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion import controls
from headmotion.media.audio import Resampler
from headmotion.pipeline.sample_queue import SampleQueue

BLOCK = 640
"""Samples of a frame at 16 kHz."""


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    generator = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}
    return hm.build({"generator": generator}, device="cpu")


def speech(count: int, channels: int = 1) -> np.ndarray:
    wave = np.random.default_rng(3).normal(0, 0.1, (count, channels)).astype(np.float32)
    return wave[:, 0] if channels == 1 else wave


def at_once(pipe: hm.Pipeline, wave: np.ndarray, rate: int) -> torch.Tensor:
    """Return the frames of one push."""
    session = pipe.stream(sample_rate=rate)
    return hm.Motion.concatenate([session.push(wave), session.flush()]).values


@pytest.mark.parametrize(
    ("rate", "channels"), [*product([8000, 16_000, 22_050, 48_000], [1, 2]), (16_000, 4), (16_000, 6), (48_000, 8)]
)
def test_single_samples_give_the_frames_of_one_push_to_the_last_bit(
    pipe: hm.Pipeline, rate: int, channels: int
) -> None:
    wave = speech(rate // 2, channels)
    session = pipe.stream(sample_rate=rate)
    parts = [session.push(wave[k : k + 1]) for k in range(len(wave))]
    assert torch.equal(hm.Motion.concatenate([*parts, session.flush()]).values, at_once(pipe, wave, rate))


def test_a_frame_comes_with_the_sample_that_completes_it(pipe: hm.Pipeline) -> None:
    wave, session, count = speech(12 * BLOCK), pipe.stream(), 0
    for end in range(1, len(wave) + 1):
        count += len(session.push(wave[end - 1 : end]))
        if end % BLOCK in (0, 1, BLOCK - 1):
            assert count == len(pipe.stream().push(wave[:end]))
    assert count > 2


def test_a_push_that_completes_nothing_computes_nothing(pipe: hm.Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: list[int] = []
    push = Resampler.push

    def counted(self: Resampler, wave: Any) -> Any:
        pushed.append(len(wave))
        return push(self, wave)

    monkeypatch.setattr(Resampler, "push", counted)
    session, wave = pipe.stream(), speech(3 * BLOCK + 1)
    for k in range(len(wave)):
        session.push(wave[k : k + 1])
    assert pushed == [1, BLOCK - 1, BLOCK, BLOCK]
    pushed.clear()
    session, wave = pipe.stream(sample_rate=8000), speech(8000)
    for k in range(len(wave)):
        session.push(wave[k : k + 1])
    assert sum(pushed) > 7900 and len(pushed) <= 1001  # once a millisecond at most


def test_controls_get_the_speech_as_it_comes(pipe: hm.Pipeline) -> None:
    got: list[int] = []

    class Listening(controls.Control):
        def start(self, context: controls.ControlContext) -> Any:
            def edit(frames: torch.Tensor, speech: Any, last: bool) -> torch.Tensor:
                got.append(len(speech))
                return frames

            return edit

        def lookahead_ms(self, frames_ms: float = 0.0) -> float:
            return frames_ms

    session = pipe.stream(controls=[Listening()])
    for _ in range(5):
        session.push(speech(7))
    assert got == [7] * 5


def test_what_is_refused_is_not_held(pipe: hm.Pipeline) -> None:
    wave, session = speech(2 * BLOCK), pipe.stream()
    parts = [session.push(wave[:10])]
    for bad in (np.full(3, np.nan), np.full(3, 1e9), np.zeros((2, 2, 2)), ["a"]):
        with pytest.raises(hm.AudioError):
            session.push(bad)
    parts += [session.push(wave[10:]), session.flush()]
    assert torch.equal(hm.Motion.concatenate(parts).values, at_once(pipe, wave, 16_000))


def test_a_snapshot_has_what_is_held(pipe: hm.Pipeline, tmp_path: Path) -> None:
    wave, session = speech(4 * BLOCK), pipe.stream()
    parts = [session.push(wave[:BLOCK]), session.push(wave[BLOCK : BLOCK + 17])]
    restored = pipe.restore(session.snapshot(tmp_path / "session.safetensors"))
    for each in (session, restored):
        rest = [each.push(wave[BLOCK + 17 : BLOCK + 20]), each.push(wave[BLOCK + 20 :]), each.flush()]
        whole = hm.Motion.concatenate([*parts, *rest])
        assert torch.equal(whole.values, at_once(pipe, wave, 16_000))


def test_chunks_of_other_channels_wait_together() -> None:
    queue, one, two = SampleQueue(16_000), speech(5), speech(7, 2)
    queue.least = 100
    for chunk in (one, one, two, two[:, :1], one[:0]):
        queue.push(queue.checked(chunk))
    assert not queue.is_due() and not queue.is_due(75) and queue.is_due(76)
    assert [len(wave) for wave, _ in queue.waves()] == [10, 7, 7]


def test_a_pool_does_not_step_for_what_completes_nothing(pipe: hm.Pipeline) -> None:
    pool, wave = pipe.pool(), speech(2 * BLOCK)
    member = pool.open()
    member.push(wave[:BLOCK])
    assert member.has_work
    pool.step()
    member.push(wave[BLOCK : 2 * BLOCK - 1])
    assert not member.has_work and pool.step() == {}
    member.push(wave[2 * BLOCK - 1 :])
    assert member.has_work
