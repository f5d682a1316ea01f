"""What a program gives a client that cannot be: one error, before anything is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headmotion as hm
from headmotion.serving import Server
from headmotion.serving.client import connect, connect_async

NOWHERE = "ws://127.0.0.1:9"
LANDMARKS = np.zeros((68, 2), np.float32)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "client: expected an address such as ws://127.0.0.1:8765, or wss://..., got None"),
        (8765, "got int 8765"),
        ("127.0.0.1:8765", "got '127.0.0.1:8765'"),
        ("", "got ''"),
        ("ws://", "got 'ws://'"),
        ("ws://[::1", "an address such as"),
        ("ws://localhost:99999", "an address such as"),
        ("http://127.0.0.1:8765", "got 'http://127.0.0.1:8765'; write ws:// for http://"),
        ("https://example.org", "got 'https://example.org'; write wss:// for https://"),
    ],
)
def test_addresses(url: Any, message: str) -> None:
    with pytest.raises(hm.ServingError) as error:
        connect(url)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampel_rate": 1}, "expected options out of model, sample_rate,"),
        ({"sampel_rate": 1}, "got 'sampel_rate'; did you mean 'sample_rate'"),
        ({"samples": "int32"}, "samples of type int16 or float32, got str 'int32'"),
        ({"samples": ["int16"]}, "samples of type int16 or float32"),
        ({"controls": {"blnik": 3}}, "expected controls out of smooth, lips, close_silence, head,"),
        ({"controls": {"blnik": 3}}, "got 'blnik'; did you mean 'blink'?"),
        ({"controls": [3]}, "controls: expected controls by name, such as {'blink': 12}, got list [3]"),
        ({"controls": {"blink": float("nan")}}, "client: expected controls: finite numbers"),
        ({"controls": {"more": [{"type": {1}}]}}, "client: expected controls: numbers, texts, lists or values by name"),
        ({"reference": "missing.png"}, "reference: expected an existing file, got missing.png"),
        ({"reference": b""}, "reference: expected the content of a picture, got no bytes"),
        ({"reference": LANDMARKS * np.nan}, "reference: expected points [P, D], finite numbers, got a NaN"),
        ({"reference": LANDMARKS[0]}, "reference: expected points [P, D], finite numbers, got an array float32 [2]"),
        ({"reference": {"points": 3}}, "expected the path or content of a picture, an .npz, or points, got dict"),
    ],
)
def test_options(options: Any, message: str) -> None:
    with pytest.raises(hm.ServingError) as error:
        connect(NOWHERE, **options)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "got"),
    [
        ("empty.png", b"", "(an empty file)"),
        ("text.txt", b"hello", "(another file)"),
        ("damaged.npz", b"PK\x03\x04", "(not an .npz that can be read"),
        ("others.npz", {"poses": LANDMARKS}, "(another file)"),
        ("folder", None, "(A folder)"),
    ],
)
def test_files(tmp_path: Path, name: str, content: Any, got: str) -> None:
    path = tmp_path / name
    if content is None:
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, **content)
    with pytest.raises(hm.ServingError) as error:
        connect(NOWHERE, reference=path)
    assert "reference: expected a picture, or an .npz with the array 'landmarks', got " in str(error.value)
    assert f"{name} {got}" in str(error.value)


def test_arrays_of_one_number_are_numbers(server: Server) -> None:
    with connect(server.url, seed=np.int64(3), controls={"lips": np.float32(1.5)}, sample_rate=np.int32(8000)):
        pass


def test_a_session_that_has_ended_takes_no_more(server: Server, speech: np.ndarray) -> None:
    ended, closed = (
        f"expected an open session, got one that was {word}; connect again" for word in ("ended", "closed")
    )
    with connect(server.url) as session:
        session.push(speech)
        assert len(session.flush())
        for use in (lambda: session.push(np.tile(speech, 4)), session.flush):
            with pytest.raises(hm.ServingError, match=ended):
                use()
    for use in (lambda: session.push(speech), session.flush):
        with pytest.raises(hm.ServingError, match=closed):
            use()


def test_what_waits_for_room_ends_with_the_session(server: Server, speech: np.ndarray) -> None:
    async def push_and_close() -> None:
        async with connect_async(server.url) as session:
            pushing = asyncio.create_task(session.push(np.tile(speech, 60)))
            await asyncio.sleep(0.1)
        with pytest.raises(hm.ServingError, match="one that was closed"):
            await asyncio.wait_for(pushing, 5)

    asyncio.run(push_and_close())


def test_the_address_may_have_the_path(server: Server, speech: np.ndarray) -> None:
    with connect(f"{server.url}/v1/stream/") as session:
        session.push(speech)
        assert len(session.flush()) == 25
