"""Sessions on a server have the frames of local ones, for any samples, rate and form, also if a connection breaks."""

from __future__ import annotations

import asyncio
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headmotion as hm
from headmotion import controls
from headmotion.serving import Server
from headmotion.serving.client import connect, connect_async
from headmotion.serving.motion_message import MotionMessage

TOLERANCE = 1e-5


def push_all(session: Any, samples: np.ndarray, size: int = 700) -> hm.Motion:
    parts = [session.push(samples[start : start + size]) for start in range(0, len(samples), size)]
    return hm.Motion.concatenate([*parts, session.flush()])


def assert_alike(motion: hm.Motion, expected: hm.Motion) -> None:
    side = 1.0 if expected.units == "unit" else expected.frame.side
    assert motion.values.shape == expected.values.shape and motion.fps == expected.fps
    assert (motion.values - expected.values).abs().max() <= TOLERANCE * side
    assert (motion.frame, motion.units) == (expected.frame, expected.units)
    assert dict(motion.representation) == dict(expected.representation)


def test_frames_are_those_of_a_local_session(server: Server, small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    with connect(server.url, seed=3) as session:
        assert session.welcome["lookahead_ms"] == small_pipe.lookahead_ms(16_000)
        motion = push_all(session, speech)
    assert_alike(motion, small_pipe.generate((speech, 16_000), seed=3))


def test_reference_controls_rate_and_json(server: Server, small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    face = (small_pipe.representation.neutral() * 300 + 40).numpy()
    options: dict[str, Any] = {"fps": "30000/1001", "seed": 1}
    edits = {"smooth": 80, "lips": 1.2}
    stereo = np.stack([speech, 0.5 * speech], axis=1)
    with connect(
        server.url, sample_rate=44_100, channels=2, reference=face, controls=edits, format="json", **options
    ) as session:
        motion = push_all(session, stereo, 3_000)
    local = controls.from_options(**edits, seed=1)
    expected = small_pipe.generate((stereo, 44_100), reference=face, controls=local, **options)
    assert_alike(motion, expected)
    assert (motion.reference - expected.reference).abs().max() < 1e-4


def test_int16_and_blend_shapes(server: Server, small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    samples = np.rint(speech * 32768).astype(np.int16)
    with connect(server.url, model="second", samples="int16", representation="blendshapes") as session:
        motion = push_all(session, samples)
    assert_alike(motion, small_pipe.generate((samples, 16_000)).to("blendshapes"))


@pytest.mark.parametrize("channels", [4, 6, 8])
def test_many_channels_are_mixed_as_those_of_an_array(
    server: Server, small_pipe: hm.Pipeline, speech: np.ndarray, channels: int
) -> None:
    hum = 0.3 * np.sin(np.arange(len(speech)) * 2 * np.pi * 300 / 16_000)
    many = np.stack([hum] * channels, axis=1)
    many[:, 2] = speech
    samples = np.rint(many * 32768).astype(np.int16)
    with connect(server.url, samples="int16", channels=channels) as session:
        motion = push_all(session, samples)
    assert_alike(motion, small_pipe.generate((samples, 16_000)))
    assert channels == 4 or (motion.values - small_pipe.generate((speech, 16_000)).values).abs().max() < 1e-3


def test_samples_that_cannot_be_sent_are_one_error_and_the_session_goes_on(
    server: Server, small_pipe: hm.Pipeline, speech: np.ndarray
) -> None:
    bad: list[tuple[Any, str]] = [
        (0.5, "expected samples"),
        (np.zeros((10, 6, 2), np.float32), r"got shape \(10, 6, 2\)"),
        (np.zeros((6, 1000), np.float32), "transpose it"),
        (np.full((10, 6), np.nan), "got a NaN"),
        (np.zeros((10, 6), np.int64), "got int64 samples"),
        (np.zeros((10, 4), np.float32), "expected 6 channels, got 4"),
        (np.zeros(60, np.float32), "expected 6 channels, got 1"),
    ]
    many = np.tile(speech[:, None], 6)
    with connect(server.url, channels=6, samples="int16") as session:
        first = session.push(many[:700])
        for samples, message in bad:
            with pytest.raises(hm.HeadmotionError, match=message):
                session.push(samples)
        motion = hm.Motion.concatenate([first, push_all(session, many[700:])])
    assert_alike(motion, small_pipe.generate((np.rint(many * 32768).astype(np.int16), 16_000)))


def test_integers_are_sent_at_their_full_scale(server: Server, small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    with connect(server.url, samples="int16") as session:
        motion = push_all(session, (speech * (1 << 31)).astype(np.int32))
    assert_alike(motion, small_pipe.generate((np.rint(speech * 32768).astype(np.int16), 16_000)))


def test_sessions_come_and_go(server: Server, small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    async def talk(seed: int, seconds: float) -> hm.Motion:
        await asyncio.sleep(0.05 * seed)
        async with connect_async(server.url, seed=seed) as session:
            samples = speech[: int(16_000 * seconds)]
            for start in range(0, len(samples), 320 * (seed + 1)):
                await session.push(samples[start : start + 320 * (seed + 1)])
            if seed == 2:
                return session.motion(await session.take())  # it leaves in the middle
            await session.end()
            return session.motion([message async for message in session])

    async def talk_all() -> list[hm.Motion]:
        return await asyncio.gather(*(talk(seed, 0.5 + 0.1 * seed) for seed in range(5)))

    for seed, motion in enumerate(asyncio.run(talk_all())):
        if seed != 2:
            samples = speech[: int(16_000 * (0.5 + 0.1 * seed))]
            assert_alike(motion, small_pipe.generate((samples, 16_000), seed=seed))


def test_one_push_takes_more_than_the_server_does_at_a_time(
    server: Server, small_pipe: hm.Pipeline, speech: np.ndarray
) -> None:
    # The server pauses when 0.4 s of motion are not confirmed, and drops the client 0.5 s later.
    long = np.tile(speech, 12)
    expected = small_pipe.generate((long, 16_000))
    with connect(server.url) as session:
        assert_alike(hm.Motion.concatenate([session.push(long), session.flush()]), expected)

    async def talk() -> hm.Motion:
        async with connect_async(server.url, samples="int16") as session:
            await session.push(np.rint(long * 32768).astype(np.int16))
            await session.end()
            return session.motion([message async for message in session])

    assert_alike(asyncio.run(talk()), small_pipe.generate((np.rint(long * 32768).astype(np.int16), 16_000)))


def test_a_task_that_reads_slowly_holds_the_server_back(server: Server, speech: np.ndarray) -> None:
    async def talk() -> tuple[int, int]:
        async with connect_async(server.url) as session:

            async def speak() -> None:
                await session.push(np.tile(speech, 6))
                await session.end()

            speaking, count, most = asyncio.create_task(speak()), 0, 0
            async for message in session:
                count += len(message)
                await asyncio.sleep(0.02)
                most = max(most, session._conversation._frames - message.end)
            await speaking
            return count, most

    count, most = asyncio.run(talk())
    assert count == 150 and most <= 20, "10 may be unconfirmed, and a few are on their way"


def test_a_broken_connection_is_resumed(server: Server, small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    async def talk() -> hm.Motion:
        async with connect_async(server.url) as session:
            messages = []
            for start in range(0, len(speech), 800):
                size = 8 if start in (2_400, 6_400) else 800
                for first in range(start, start + 800, size):
                    await session.push(speech[first : first + size])
                messages += await session.take()
                if start in (4_000, 4_800, 12_000):
                    session._socket.transport.abort()
                    await asyncio.sleep(0.02)
                if start in (2_400, 6_400):  # the old connection still works, and has unread messages
                    await session._come_back()
            await session.end()
            session._socket.transport.abort()
            return session.motion([*messages, *[message async for message in session]])

    assert_alike(asyncio.run(talk()), small_pipe.generate((speech, 16_000)))


def test_a_server_is_replaced(small_pipe: hm.Pipeline, speech: np.ndarray, tmp_path: Path) -> None:
    async def talk() -> hm.Motion:
        server = Server({"small": small_pipe}, port=0, state=tmp_path).__enter__()
        port = int(server.url.rpartition(":")[2])
        try:
            async with connect_async(server.url, controls={"smooth": 80}) as session:
                for start in range(0, 9_000, 500):
                    await session.push(speech[start : start + 500])
                messages = await session.take()
                await asyncio.to_thread(server.__exit__)
                assert len(list(tmp_path.iterdir())) == 2
                server = Server({"small": small_pipe}, port=port, state=tmp_path).__enter__()
                for start in range(9_000, 16_000, 500):
                    await session.push(speech[start : start + 500])
                await session.end()
                return session.motion([*messages, *[message async for message in session]])
        finally:
            server.__exit__()

    assert_alike(asyncio.run(talk()), small_pipe.generate((speech, 16_000), controls=[controls.smooth(80)]))
    assert not list(tmp_path.iterdir())


def test_a_client_comes_back_to_another_server(small_pipe: hm.Pipeline, speech: np.ndarray, tmp_path: Path) -> None:
    servers = [Server({"small": small_pipe}, port=0, state=tmp_path, is_state_shared=True) for _ in range(2)]

    async def talk() -> hm.Motion:
        async with connect_async(servers[0].url, controls={"smooth": 80}) as session:
            messages = []
            for turn, start in enumerate(range(0, 16_000, 2_000)):
                await session.push(speech[start : start + 2_000])
                await asyncio.sleep(0.05)
                messages += await session.take()
                session._url = session._url.replace(servers[turn % 2].url, servers[1 - turn % 2].url)
                session._socket.transport.abort()
            await session.end()
            return session.motion([*messages, *[message async for message in session]])

    with servers[0], servers[1]:
        assert_alike(asyncio.run(talk()), small_pipe.generate((speech, 16_000), controls=[controls.smooth(80)]))
    assert not list(tmp_path.iterdir())


def test_motion_messages_are_read_back_exactly() -> None:
    values = np.random.default_rng(0).normal(0, 1, (3, 5, 2)).astype(np.float32)
    message = MotionMessage(values, 7, Fraction(25_000, 1001), 9_000)
    read = MotionMessage.from_bytes(message.to_bytes())
    parsed = MotionMessage.from_json(json.loads(message.to_json()), 5, 2)
    for copy in (read, parsed):
        assert (copy.values == values).all() and copy.times() == message.times() and copy.samples == 9_000
    assert str(read.times()[0]) == "7007/25000"
    for damaged in (message.to_bytes()[:-1], b"", b"hm" * 30):
        with pytest.raises(hm.ServingError, match="expected a message of motion"):
            MotionMessage.from_bytes(damaged)


def test_the_client_hears_what_is_wrong_with_its_reference(
    server: Server, small_pipe: hm.Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    laughing = (small_pipe.representation.neutral() * 300 + 40).numpy()
    laughing[[55, 56, 57, 58, 59, 65, 66, 67], 1] += 40
    with connect(server.url, reference=laughing) as session:
        (warning,) = session.welcome["warnings"]
    assert warning.startswith("the mouth is open in the reference")
    assert [record.getMessage() for record in caplog.records] == [f"server: {warning}"]  # once, and not the server's
    with connect(server.url) as session:
        assert session.welcome["warnings"] == []
