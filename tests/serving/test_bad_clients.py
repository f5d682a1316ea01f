"""Clients that break the rules are refused with a reason, and all others are served."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_raw

import headmotion as hm
from headmotion.serving import Server, ServerLimits
from headmotion.serving.access import Access
from headmotion.serving.client import connect
from headmotion.serving.motion_message import MotionMessage

HELLO = {"type": "hello", "version": 1}


@pytest.fixture(autouse=True)
def others_are_served(server: Server, speech: np.ndarray) -> Iterator[None]:
    """A session that is open before a bad client comes, and speaks after it."""
    with connect(server.url, seed=9) as session:
        start = session.push(speech[:8_000])
        yield
        motion = hm.Motion.concatenate([start, session.push(speech[8_000:12_000]), session.flush()])
    assert len(motion) == 19


def raw(server: Server, **options: Any) -> Any:
    return connect_raw(f"{server.url}/v1/stream", proxy=None, compression=None, **options)


def reason(client: ClientConnection) -> str:
    """Read until the server closes, and return its error."""
    error = ""
    try:
        while True:
            message = client.recv(timeout=30)
            if isinstance(message, str) and json.loads(message)["type"] == "error":
                error = json.loads(message)["message"]
    except ConnectionClosed as closed:
        assert closed.rcvd is not None and closed.rcvd.code == (1013 if "later" in error else 1008), closed
    assert error and "\n" not in error
    return error


def refused(server: Server, *messages: str | bytes) -> str:
    with raw(server) as client:
        # It may close before the last message; its error is read all the same.
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                client.send(message)
        return reason(client)


BAD_HELLOS: dict[str, tuple[Any, str]] = {
    "no JSON": ("garbage", "expected a JSON object"),
    "bytes": (b"\x00\x01", "expected a text message (JSON) first, got 2 bytes"),
    "nested": ("[" * 100_000, "expected a JSON object"),
    "NaN": ('{"type": "hello", "version": 1, "seed": NaN}', "numbers of JSON, which are finite"),
    "version": (HELLO | {"version": 2}, "expected version 1 of the protocol, got version 2"),
    "other type": ({"type": "end", "version": 1}, "expected a message hello or resume"),
    "unknown field": (HELLO | {"path": "/etc/passwd"}, "expected no field 'path', got '/etc/passwd'"),
    "true for a number": (HELLO | {"controls": {"blink": True}}, "expected controls.blink: a number, got True"),
    "rate 0": (HELLO | {"rate": 0}, "hello: expected rate: a number from 8000 to 192000, got 0"),
    "path as model": (HELLO | {"model": "../../etc/passwd"}, "one of small, second, got '../../etc/passwd'"),
    "own model": (HELLO | {"model": "ms-sync"}, "one of small, second, got 'ms-sync'"),
    "control": (HELLO | {"controls": {"blink": 1e9}}, "blink spec: expected rate: a number from 0 to 60"),
    "frame rate": (HELLO | {"fps": "1/0"}, "frame rate: expected a number such as 25"),
    "representation": (HELLO | {"representation": "../x"}, "expected a representation that it converts into"),
    "few points": (HELLO | {"reference": {"points": [[1, 2]]}}, r"expected poses [68, 2]"),
    "uneven points": (HELLO | {"reference": {"points": [[1, 2], [1]]}}, "points of as many numbers each"),
    "endless points": (json.dumps(HELLO | {"reference": {"points": [[1, 2]] * 68}}).replace("2]", "1e999]"), "finite"),
    "large picture": (HELLO | {"reference": {"picture_bytes": 1 << 40}}, "a picture of at most 8388608 bytes"),
    "style": (HELLO | {"style": "calm"}, "expected SupportsStyle for a style"),
    "resume": (
        {"type": "resume", "version": 1, "resume_token": "x", "frames": 0},
        "got one that is not known, as after a new start without --state",
    ),
}


@pytest.mark.parametrize("case", BAD_HELLOS)
def test_openings(server: Server, case: str) -> None:
    opening, expected = BAD_HELLOS[case]
    assert expected in refused(server, json.dumps(opening) if isinstance(opening, dict) else opening)


def test_pictures(server: Server) -> None:
    def opening(content: bytes) -> str:
        return json.dumps(HELLO | {"reference": {"picture_bytes": len(content)}})

    text, playlist = b"no picture", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    for content in (text, playlist):
        assert "a picture in one of the formats PNG, JPEG, WEBP" in refused(server, opening(content), content)
    assert "a message of 10 bytes with the picture, got 3 bytes" in refused(server, opening(text), b"abc")
    plain = files("headmotion") / "assets" / "portrait.png"
    without_face = _png(np.full((64, 64, 3), 200, np.uint8))
    assert "face" in refused(server, opening(without_face), without_face)
    with connect(server.url, reference=plain.read_bytes()) as session:
        assert np.shape(session.welcome["meta"]["reference"]) == (68, 2)


def _png(picture: np.ndarray) -> bytes:
    from io import BytesIO

    from PIL import Image

    content = BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


FLOATS = json.dumps(HELLO | {"samples": "float32"})
BAD_MESSAGES: dict[str, tuple[tuple[str | bytes, ...], str]] = {
    "NaN": ((FLOATS, np.full(100, np.nan, "<f4").tobytes()), "finite samples in -1..1, got a NaN"),
    "half a sample": ((FLOATS, b"\0" * 401), "a multiple of 4 bytes (float32, channels: 1), got 401 bytes"),
    "too fast": ((FLOATS, *[b"\0" * 64_000] * 60), "at most 32000 samples ahead of those that are processed"),
    "huge": ((FLOATS, b"\0" * ((1 << 20) + 4)), "messages of at most 1048576 bytes"),
    "unknown": ((FLOATS, '{"type": "shutdown"}'), "expected a message received or end"),
    "second hello": ((FLOATS, FLOATS), "expected a message received or end"),
    "end at once": ((FLOATS, '{"type": "end"}'), "one end, after the samples"),
    "after the end": ((FLOATS, b"\0" * 800, '{"type": "end"}', b"\0" * 800), "no samples after the end"),
    "frames of the future": ((FLOATS, '{"type": "received", "frames": 9}'), "at most the 0 frames that were sent"),
}


@pytest.mark.parametrize("case", BAD_MESSAGES)
def test_messages(server: Server, case: str) -> None:
    messages, expected = BAD_MESSAGES[case]
    assert expected in refused(server, *messages)


def test_a_message_beyond_all_limits(server: Server) -> None:
    with raw(server) as client, pytest.raises(ConnectionClosed) as closed:
        client.send(FLOATS)
        client.recv()
        client.send(b"\0" * (10 << 20))
        client.recv()
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009


def test_too_much_speech(small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    with Server({"small": small_pipe}, port=0, limits=ServerLimits(session_s=0.5)) as short:
        assert "at most 0.5 s of speech in a session" in refused(short, FLOATS, speech.tobytes())


def test_many_messages_wait(small_pipe: hm.Pipeline) -> None:
    with Server({"small": small_pipe}, port=0, limits=ServerLimits(messages_per_s=40)) as slow, raw(slow) as client:
        client.send(FLOATS)
        client.recv()
        begin = time.monotonic()
        for message in (*[b""] * 60, b"\0" * 6_400, '{"type": "end"}'):
            client.send(message)
        assert MotionMessage.from_bytes(client.recv()).end
        assert time.monotonic() - begin > 0.9


def test_a_model_that_needs_the_whole_clip(speech: np.ndarray) -> None:
    whole = hm.build({"generator": {"type": "ms-sync", "preset": "paper-code", "hidden_size": 32}}, device="cpu")
    with Server({"whole": whole}, port=0) as server:
        assert "expected a model that streams, got one that needs the whole clip" in refused(server, FLOATS)


def test_silent_clients(small_pipe: hm.Pipeline) -> None:
    limits = ServerLimits(handshake_s=0.3)
    with Server({"small": small_pipe}, port=0, limits=limits) as impatient, raw(impatient) as client:
        assert "a complete hello within 0.3 s, got none" in reason(client)
    limits = ServerLimits(idle_s=0.3)
    with Server({"small": small_pipe}, port=0, limits=limits) as impatient, raw(impatient) as client:
        client.send(FLOATS)
        assert "a message within 0.3 s" in reason(client)


def test_half_a_handshake(server: Server) -> None:
    host, port = server.url.removeprefix("ws://").split(":")
    for start in (b"", b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n"):
        with socket.create_connection((host, int(port)), 5) as client:
            client.sendall(start)
            begin = time.monotonic()
            with contextlib.suppress(ConnectionError):
                assert client.recv(100) == b""
            assert time.monotonic() - begin < 4


def test_a_client_that_reads_nothing_is_paused_and_dropped(server: Server, speech: np.ndarray) -> None:
    with raw(server) as client:
        client.send(FLOATS)
        token = json.loads(client.recv())["resume_token"]
        frames = 0
        for start in range(0, 16_000, 4_000):
            client.send(speech[start : start + 4_000].tobytes())
        with pytest.raises(ConnectionClosed):
            while True:
                message = client.recv(timeout=30)
                if isinstance(message, bytes):
                    frames = MotionMessage.from_bytes(message).end
                else:
                    assert "a confirmation of the motion that was sent within 0.5 s" in message
        assert 0 < frames <= 12
    with raw(server) as client:  # it may come back
        client.send(json.dumps({"type": "resume", "version": 1, "resume_token": token, "frames": frames}))
        assert json.loads(client.recv())["samples_received"] == 16_000
        assert MotionMessage.from_bytes(client.recv()).first == frames


def test_pages(server: Server) -> None:
    for origin in ("https://example.org", "null", "http://127.0.0.1.example.org", "http://[::1", "x"):
        with pytest.raises(InvalidStatus) as refusal, raw(server, origin=origin):
            pass
        assert refusal.value.response.status_code == 403 and b"allowed origin" in refusal.value.response.body
    for origin in ("http://127.0.0.1:8000", "http://localhost"):
        with raw(server, origin=origin):
            pass


def test_many_sessions(server: Server) -> None:
    with contextlib.ExitStack() as clients:
        for _ in range(5):
            client = clients.enter_context(raw(server))
            client.send(FLOATS)
            assert json.loads(client.recv())["type"] == "welcome"
        assert "at most 6 sessions, got one more; try again later" in refused(server, FLOATS)


@pytest.mark.parametrize("flood", [b"\x89\x80\0\0\0\0", b"\0\x80\0\0\0\0"], ids=["pings", "empty fragments"])
def test_a_client_gets_its_share_of_the_processor_only(
    small_pipe: hm.Pipeline, speech: np.ndarray, flood: bytes
) -> None:
    # A masked frame without content; a fragment continues the message that the first byte of the flood begins.
    sparing = Server({"small": small_pipe}, port=0, limits=ServerLimits(read_ms=10))
    with sparing, raw(sparing) as client, connect(sparing.url) as session:
        client.send(FLOATS)
        client.recv()
        if flood[0] == 0:
            client.socket.sendall(b"\x02" + flood[1:])
        client.socket.setblocking(False)
        begin, processor, sent = time.monotonic(), time.process_time(), 0
        while time.monotonic() - begin < 2:
            with contextlib.suppress(BlockingIOError):
                sent += client.socket.send(1000 * flood)
            time.sleep(0.001)
        busy = time.process_time() - processor
        assert sent > 100_000, "it would take more"
        assert busy < 0.8, "the flood is processed for 10 ms of a second, and sent by this process too"
        session.push(speech[:4_000])
        assert len(session.flush()) == 6


def test_many_connections(small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    with Server({"small": small_pipe}, port=0, limits=ServerLimits(connections=20, handshake_s=30)) as crowded:
        host, port = crowded.url.removeprefix("ws://").split(":")
        with connect(crowded.url) as session:
            crowd = [socket.create_connection((host, int(port)), 5) for _ in range(200)]
            session.push(speech[:4_000])
            crowd[-1].sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"at most 20 connections, got one more" in _read_all(crowd[-1])
            assert len(session.flush()) == 6
            for client in crowd:
                client.close()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:  # as soon as they have gone there is room again
            try:
                with connect(crowded.url) as session:
                    return
            except hm.ServingError:
                time.sleep(0.05)
        raise AssertionError("no room")


def _read_all(client: socket.socket) -> bytes:
    content = b""
    while data := client.recv(4_096):
        content += data
    return content


def test_tokens(small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    secret = "correct-horse-battery"
    with Server({"small": small_pipe}, port=0, token=secret) as server:
        assert "its token, got none" in refused(server, FLOATS)
        assert "its token, got another one" in refused(server, json.dumps(HELLO | {"token": "x" * 16}))
        with connect(server.url, token=secret) as session:
            session.push(speech[:1_600])
            assert len(session.flush()) == 3
        with raw(server, additional_headers={"Authorization": f"Bearer {secret}"}) as client:
            client.send(FLOATS)
            assert json.loads(client.recv())["type"] == "welcome"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Access("0.0.0.0", None), "a token for an address that others can reach, got 0.0.0.0 without one"),
        (lambda: Access("example.org", None), "a token"),
        (lambda: Access("127.0.0.1", "short"), "a token of at least 16 printable ASCII characters"),
        (lambda: Access("::1", None, ["https://example.org/page"]), "an origin such as https://example.org"),
        (lambda: ServerLimits.parse({"sessions": 0}), "sessions: 1 or more"),
        (lambda: ServerLimits.parse({"session": 9}), "expected no field 'session', got 9; did you mean 'sessions'"),
        (lambda: Server({}), "at least one model"),
    ],
)
def test_operators(make: Callable[[], Any], expected: str) -> None:
    with pytest.raises(hm.ServingError) as error:
        make()
    assert expected in str(error.value)


def test_a_port_that_is_taken(server: Server, small_pipe: hm.Pipeline) -> None:
    with pytest.raises(hm.ServingError, match="choose another port"):
        Server({"small": small_pipe}, port=int(server.url.rpartition(":")[2]))


def test_the_path_of_the_websocket(server: Server) -> None:
    with pytest.raises(hm.ServingError, match="a WebSocket at /v1/stream, got one at '/avatars/v1/stream'"):
        connect(f"{server.url}/avatars")
    with pytest.raises(HTTPError) as answer:
        urlopen(f"{server.address}/v1/stream", timeout=10)
    assert (answer.value.code, answer.value.headers["Upgrade"]) == (426, "websocket")
    assert "a proxy has to pass on the headers Upgrade and Connection" in json.loads(answer.value.read())["message"]
