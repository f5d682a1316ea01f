"""What the page asks the server for: faces, takes, files; and what is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import numpy as np
import pytest
import soundfile

import headmotion as hm
from headmotion.serving import Server
from headmotion.studio import studio_server

ASSETS = Path(hm.__file__).parent / "assets"

OPEN = build_opener(ProxyHandler({})).open
BOUNDARY = "headmotion-test"
SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """A studio whose model moves at random, and fast."""
    pipe = hm.build({"generator": SMALL | {"initial_state": "random"}}, device="cpu")
    with studio_server({"small": pipe}, port=0) as server:
        yield server


def ask(server: Server, path: str, body: Any = None, **headers: str) -> bytes:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    with OPEN(Request(f"{server.address}{path}", data, headers), timeout=60) as response:
        content: bytes = response.read()
    return content


def send(server: Server, path: str, name: str, content: bytes, options: dict[str, Any]) -> dict[str, Any]:
    disposition = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{{}}"'
    parts = [disposition.format(name).encode(), f'; filename="../{name}"\r\n\r\n'.encode(), content, b"\r\n"]
    parts += [disposition.format("options").encode(), b"\r\n\r\n", json.dumps(options).encode(), b"\r\n"]
    body = b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return dict(json.loads(ask(server, path, body, **headers)))


def refused(work: Any) -> tuple[int, str]:
    with pytest.raises(HTTPError) as error:
        work()
    with error.value as response:
        return response.status, json.loads(response.read())["message"]


def wav(seconds: float = 0.8) -> bytes:
    content = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.1, round(16_000 * seconds))
    soundfile.write(content, noise, 16_000, format="WAV")
    return content.getvalue()


@pytest.fixture(scope="module")
def face(small: Server) -> dict[str, Any]:
    return dict(json.loads(ask(small, "/studio/faces/portrait", {"crop": "head"})))


@pytest.fixture(scope="module")
def take(small: Server, face: dict[str, Any]) -> dict[str, Any]:
    return send(small, "/studio/takes", "audio", wav(), {"face": face["name"], "seed": 3})


def test_page_is_served_with_a_policy_and_nothing_else_is(small: Server) -> None:
    with OPEN(f"{small.address}/", timeout=60) as response:
        assert b"headmotion" in response.read()
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert b"export class PortraitWarp" in ask(small, "/portrait_warp.js")
    for path in ("/..%2fstudio.py", "/__init__.py", "/page"):
        with pytest.raises(HTTPError, match="404"):
            ask(small, path)


def test_info_names_models_controls_and_renderers(small: Server) -> None:
    info = json.loads(ask(small, "/studio/info"))
    assert info["models"][0]["name"] == "small" and info["models"][0]["lookahead_ms"] > 0
    assert {"portrait", "skeleton"} <= info["renderers"].keys()
    assert "blink" in info["controls"]["properties"]


def test_picture_becomes_a_face(small: Server) -> None:
    picture = (ASSETS / "portrait.png").read_bytes()
    found = send(small, "/studio/faces", "picture", picture, {"crop": "none"})
    stored = np.load(ASSETS / "portrait_landmarks.npz")["landmarks"].reshape(68, -1)[:, :2]
    assert np.abs(np.array(found["landmarks"]) - stored).mean() < 5
    assert found["size"] == [512, 512]
    assert refused(lambda: send(small, "/studio/faces", "picture", b"no picture", {}))[0] == 400


def test_take_is_edited_and_saved(small: Server, face: dict[str, Any], take: dict[str, Any]) -> None:
    assert take["frames"] == 20 and take["fps"] == [25, 1]
    path = f"/studio/takes/{take['name']}"
    edited = json.loads(ask(small, f"{path}/motion", {"controls": {"lips": 0.0}}))
    assert edited["landmarks"] != take["landmarks"] and edited["frames"] == 20
    options = {"face": face["name"], "controls": {"lips": 0.0}}
    beginnings = {
        "npz": b"PK",
        "glb": b"glTF",
        "vtt": b"WEBVTT",
        "csv": b"time,",
        "live-link": b"Timecode",
        "html": b"<!doctype",
        "gif": b"GIF",
    }
    for format, beginning in beginnings.items():
        assert ask(small, f"{path}/file", options | {"format": format}).startswith(beginning), format
    video = ask(small, f"{path}/file", options | {"format": "mp4", "renderer": {"type": "skeleton", "size": 64}})
    assert b"ftyp" in video[:16]


def test_wrong_requests_are_refused_in_a_line(small: Server, face: dict[str, Any], take: dict[str, Any]) -> None:
    path = f"/studio/takes/{take['name']}"
    wrong = [
        (f"{path}/motion", {"controls": {"lips": -1}}),
        (f"{path}/motion", {"control": {}}),
        ("/studio/takes/another/motion", {}),
        (f"{path}/file", {"format": "exe", "face": face["name"]}),
        (f"{path}/file", {"format": "mp4", "face": "another"}),
        ("/studio/speech", {"text": "x" * 2000}),
        ("/studio/speech", {"text": "x", "voice": "../../etc"}),
        ("/studio/faces/portrait", b"{"),
    ]
    for where, body in wrong:
        status, message = refused(lambda where=where, body=body: ask(small, where, body))
        assert status == 400 and "\n" not in message, where
    model = {"face": face["name"], "model": "../../etc/passwd"}
    assert "small" in refused(lambda: send(small, "/studio/takes", "audio", wav(), model))[1]
    assert refused(lambda: ask(small, f"{path}/motion", {}, Origin="https://example.org"))[0] == 403
