"""Pools: every session gets the frames that it gets alone, whatever the others do."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion import controls

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}


@pytest.fixture(scope="module", params=["causal", "linear", "align-corners", "alone"])
def pipe(request: pytest.FixtureRequest) -> hm.Pipeline:
    interpolation = "causal" if request.param == "alone" else request.param
    pipe = hm.build({"generator": SMALL | {"interpolation": interpolation, "initial_state": "random"}}, device="cpu")
    if request.param == "alone":
        # A generator of a plugin, whose states nobody else knows.
        pipe.generator = Alone(pipe.generator)
    return pipe


class Alone(hm.Generator):
    """A generator that streams, but not several streams at once."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner.spec)
        self.inner, self.context_frames, self.lookahead = inner, inner.context_frames, inner.lookahead

    def forward(self, *arguments: Any) -> Any:
        return self.inner(*arguments)

    def init_state(self, *arguments: Any) -> Any:
        return self.inner.init_state(*arguments)

    def step(self, *arguments: Any) -> Any:
        return self.inner.step(*arguments)


def speech(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate)).astype(np.float32)


def face(pipe: hm.Pipeline, scale: float = 300) -> np.ndarray:
    return (pipe.representation.neutral() * scale + 40).numpy()


def assert_alike(motion: hm.Motion, expected: hm.Motion) -> None:
    assert motion.frame and len(motion) == len(expected) and motion.fps == expected.fps
    assert (motion.values - expected.values).abs().max() <= 1e-5 * motion.frame.side


def test_sessions_that_come_and_go_get_the_frames_that_they_get_alone(pipe: hm.Pipeline) -> None:
    # When each joins (in steps), its rate, samples per push, options, reference.
    plans: list[tuple[int, int, int, Any, Any]] = [
        (0, 16_000, 320, {"seed": 1}, None),
        (0, 16_000, 320, {"seed": 2, "controls": [controls.smooth(80), controls.close_silence()]}, face(pipe)),
        (3, 44_100, 882, {"fps": "30000/1001"}, face(pipe, 100)),
        (7, 8_000, 997, {"seed": 5, "fps": 60}, None),
        (12, 16_000, 5_000, {}, face(pipe)),
        (13, 16_000, 640, {"controls": [lambda motion: motion]}, None),
    ]
    waves = [speech(1.1 + 0.13 * k, rate, k) for k, (_, rate, *_) in enumerate(plans)]
    pool, sessions, motions = pipe.pool(), {}, {k: [] for k in range(len(plans))}  # type: ignore[var-annotated]
    for step in range(200):
        for k, (begin, rate, _, options, reference) in enumerate(plans):
            if step == begin:
                sessions[pool.open(reference=reference, sample_rate=rate, **options)] = k
        for session, k in sessions.items():
            begin, _, size, _, _ = plans[k]
            start = (step - begin) * size
            if 0 <= start < len(waves[k]) and session in pool:
                session.push(waves[k][start : start + size])
                if start + size >= len(waves[k]):
                    session.flush()
        for session, motion in pool.step().items():
            motions[sessions[session]].append(motion)
    assert not len(pool)
    for k, (_, rate, _, options, reference) in enumerate(plans):
        expected = pipe.generate((waves[k], rate), reference, **options)
        assert_alike(hm.Motion.concatenate(motions[k]), expected)


def test_bad_samples_disturb_nobody(pipe: hm.Pipeline) -> None:
    pool, wave = pipe.pool(), speech(0.8, 16_000)
    first, second = pool.open(seed=1), pool.open(seed=2)
    motions: dict[Any, list[hm.Motion]] = {first: [], second: []}
    for start in range(0, len(wave), 640):
        first.push(wave[start : start + 640])
        for bad in (np.full(640, np.nan, np.float32), np.zeros((3, 4, 5)), "speech", None):
            with pytest.raises(hm.AudioError):
                second.push(bad)
        with pytest.raises(hm.HeadmotionError, match="SupportsDialogue"):
            second.push(wave[start : start + 640], wave[start : start + 640])
        second.push(wave[start : start + 640])
        for session, motion in pool.step().items():
            motions[session].append(motion)
    first.flush()
    second.flush()
    for session, motion in pool.step().items():
        motions[session].append(motion)
    for seed, session in ((1, first), (2, second)):
        assert_alike(hm.Motion.concatenate(motions[session]), pipe.generate((wave, 16_000), seed=seed))


def test_a_session_that_fails_leaves_and_the_others_go_on(pipe: hm.Pipeline) -> None:
    class Failing(controls.Control):
        def start(self, context: controls.ControlContext) -> Any:
            def edit(frames: torch.Tensor, speech: Any, last: bool) -> torch.Tensor:
                raise hm.MotionError("failing", "a better control", "this one")

            return edit

        def lookahead_ms(self, frames_ms: float = 0.0) -> float:
            return frames_ms

    pool, wave = pipe.pool(), speech(0.5, 16_000)
    good, bad = pool.open(), pool.open(controls=[Failing()])
    good.push(wave)
    bad.push(wave)
    good.flush()
    motions = pool.step()
    assert list(motions) == [good] and len(pool) == 0 and isinstance(bad.error, hm.MotionError)
    assert_alike(motions[good], pipe.generate((wave, 16_000)))
    with pytest.raises(hm.HeadmotionError, match=r"one that failed .*a better control"):
        bad.push(wave)


def test_states_that_a_generator_cannot_advance_blame_one_session_only() -> None:
    pipe = hm.build({"generator": SMALL}, device="cpu")
    pool, wave = pipe.pool(), speech(0.5, 16_000)
    members = [pool.open(seed=k) for k in range(3)]
    broken: Any = members[1]
    broken._session._state = "no state"
    for member in members:
        member.push(wave)
        member.flush()
    motions = pool.step()
    assert list(motions) == [members[0], members[2]] and broken.error is not None
    assert_alike(motions[members[2]], pipe.generate((wave, 16_000), seed=2))


def test_sessions_end_once_and_without_audio_not_at_all(pipe: hm.Pipeline) -> None:
    pool = pipe.pool()
    session = pool.open()
    with pytest.raises(hm.AudioError, match="0 samples"):
        session.flush()
    assert pool.step() == {} and len(pool) == 1
    session.push(speech(0.2, 16_000))
    session.flush()
    with pytest.raises(hm.HeadmotionError, match="one that was flushed"):
        session.push(speech(0.2, 16_000))
    assert len(pool.step()[session]) == 5
    other = pool.open()
    other.close()
    other.close()
    with pytest.raises(hm.HeadmotionError, match="has left the pool"):
        other.push(speech(0.2, 16_000))
    assert len(pool) == 0 and pool.step() == {}


def test_a_snapshot_joins_and_leaves_a_pool(tmp_path: Path) -> None:
    pipe = hm.build({"generator": SMALL}, device="cpu")
    pool, wave = pipe.pool(), speech(1.0, 22_050)
    member = pool.open(sample_rate=22_050, seed=3)
    member.push(wave[:5000])
    motions = list(pool.step().values())
    member.push(wave[5000:12_000])  # queued samples are in the snapshot too
    path = member.snapshot(tmp_path / "member.safetensors")
    member.close()
    single = pipe.restore(path)
    restored = pool.add(pipe.restore(path))
    rest = [single.push(wave[12_000:15_000]), single.push(wave[15_000:]), single.flush()]
    assert len(rest[0])
    assert_alike(hm.Motion.concatenate([*motions, *rest]), pipe.generate((wave, 22_050), seed=3))
    restored.push(wave[12_000:])
    restored.flush()
    assert_alike(pool.step()[restored], hm.Motion.concatenate(rest))
    taken = pipe.stream()
    pool.add(taken)
    with pytest.raises(hm.HeadmotionError, match="in a pool"):
        taken.push(wave)
    with pytest.raises(hm.HeadmotionError, match=r"a Session, as of pipe\.stream .* got a PooledSession"):
        pool.add(pool.open())  # type: ignore[arg-type]
    with pytest.raises(hm.HeadmotionError, match="one of another"):
        pool.add(hm.build({"generator": SMALL}, device="cpu").stream())


def test_threads_share_a_session_and_a_pool() -> None:
    pipe = hm.build({"generator": SMALL}, device="cpu")
    session, pool, wave = pipe.stream(), pipe.pool(), speech(0.8, 16_000)
    members = [pool.open(seed=seed) for seed in range(3)]
    counts: list[int] = []
    motions: dict[Any, list[hm.Motion]] = {member: [] for member in members}

    def share_session() -> None:
        counts.extend(len(session.push(wave[start : start + 640])) for start in range(0, len(wave), 640))

    def feed(member: Any) -> None:
        for start in range(0, len(wave), 640):
            member.push(wave[start : start + 640])

    def step() -> None:
        for _ in range(10):
            for member, motion in pool.step().items():
                motions[member].append(motion)

    threads = [threading.Thread(target=share_session) for _ in range(4)]
    threads += [threading.Thread(target=feed, args=(member,)) for member in members]
    threads.append(threading.Thread(target=step))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) + len(session.flush()) == 80
    for member in members:
        member.flush()
    step()
    for seed, member in enumerate(members):
        assert_alike(hm.Motion.concatenate(motions[member]), pipe.generate((wave, 16_000), seed=seed))
