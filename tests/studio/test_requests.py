"""What the page asks the server for: faces, takes, files; and what is refused."""

from __future__ import annotations

import io
import json
from base64 import b64decode
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
    assert {"portrait", "skeleton"} <= info["parts"]["renderer"].keys()
    assert "amount" in info["parts"]["control"]["scale-head"]["properties"]
    assert "blink" in info["controls"]["properties"]


def test_picture_becomes_a_face(small: Server) -> None:
    picture = (ASSETS / "portrait.png").read_bytes()
    found = send(small, "/studio/faces", "picture", picture, {"crop": "none"})
    stored = np.load(ASSETS / "portrait_landmarks.npz")["landmarks"].reshape(68, -1)[:, :2]
    assert np.abs(np.array(found["landmarks"]) - stored).mean() < 5
    assert found["size"] == [512, 512]
    assert refused(lambda: send(small, "/studio/faces", "picture", b"no picture", {}))[0] == 400


def test_warnings_are_part_of_the_answer(small: Server, face: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    laughing = np.array(face["landmarks"])
    laughing[[55, 56, 57, 58, 59, 65, 66, 67], 1] += 30
    options = {"landmarks": laughing.tolist(), "crop": "head"}
    opened = json.loads(ask(small, f"/studio/faces/{face['name']}/landmarks", options))
    take = send(small, "/studio/takes", "audio", wav(), {"face": opened["name"], "seed": 3})
    assert face["warnings"] == opened["warnings"] == []
    assert take["warnings"][0].startswith("the mouth is open in the reference") and not caplog.records


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
        "webm": b"\x1a\x45\xdf\xa3",
        "spec": b"{",
    }
    assert set(take["formats"]) == {*beginnings, "mp4"}
    for format, beginning in beginnings.items():
        assert ask(small, f"{path}/file", options | {"format": format}).startswith(beginning), format
    spec = json.loads(ask(small, f"{path}/file", options | {"format": "spec"}))
    assert (spec["model"], spec["seed"], spec["controls"]) == ("small", 3, {"lips": 0.0})
    assert hm.PipelineSpec.model_validate(spec["pipeline"]).generator.type_name() == "ms-sync"
    video = ask(small, f"{path}/file", options | {"format": "mp4", "renderer": {"type": "skeleton", "size": 64}})
    assert b"ftyp" in video[:16]


def test_take_has_av_conf_at_four_levels(small: Server, face: dict[str, Any]) -> None:
    take = send(small, "/studio/takes", "audio", wav(3.0), {"face": face["name"]})
    path = f"/studio/takes/{take['name']}/confidence"
    levels = json.loads(ask(small, path, {"controls": {}}))["levels"]
    assert [level["frame_ms"] for level in levels] == [40, 80, 160, 320]
    metric = hm.resolve_spec("metric", "av-sync").build(hm.build({"generator": SMALL}, device="cpu").context())
    motion = hm.Motion(np.frombuffer(b64decode(take["landmarks"]), "<f4").reshape(75, 68, 2).copy(), 25)  # type: ignore[arg-type]
    speech = hm.Audio(*soundfile.read(io.BytesIO(wav(3.0)), dtype="float32"))
    values = metric.per_clip(metric.observe(hm.MetricInput("take", motion, audio=speech)))
    for number, level in enumerate(levels):
        assert level["confidence"] == pytest.approx(values[f"level{number}_confidence"], abs=1e-3)
        assert abs(level["offset_ms"]) == values[f"level{number}_offset_ms"]
    short = send(small, "/studio/takes", "audio", wav(0.12), {"face": face["name"]})
    assert json.loads(ask(small, f"/studio/takes/{short['name']}/confidence", {"controls": {}})) == {"levels": []}


def test_landmarks_are_corrected(small: Server, face: dict[str, Any]) -> None:
    moved = [[x + 2, y] for x, y in face["landmarks"]]
    path = f"/studio/faces/{face['name']}/landmarks"
    corrected = json.loads(ask(small, path, {"crop": "head", "landmarks": moved}))
    assert corrected["landmarks"] == moved and corrected["name"] != face["name"]
    for wrong in (moved[:5], [[1e9, 0.0]] * 68, [["x", 0]] * 68):
        assert refused(lambda wrong=wrong: ask(small, path, {"crop": "head", "landmarks": wrong}))[0] == 400


def test_a_body_is_built_drawn_and_saved_as_bvh(small: Server, face: dict[str, Any]) -> None:
    names, parents = ["hips", "spine", "head"], [-1, 0, 1]
    joints = {"type": "joints", "names": names, "parents": parents, "offsets": [[0, 0, 0], [0, -10, 0], [0, -8, 0]]}
    model = json.loads(ask(small, "/studio/models", {"generator": SMALL, "representation": joints}))
    assert model["representation"] == "joints" and model["live"] is False
    take = send(small, "/studio/takes", "audio", wav(), {"face": face["name"], "model": model["name"]})
    assert "landmarks" not in take and take["drawing"]["edges"] and {"bvh", "glb", "mp4"} <= set(take["formats"])
    options = {"face": face["name"], "format": "bvh"}
    assert ask(small, f"/studio/takes/{take['name']}/file", options).startswith(b"HIERARCHY")
    assert b"ftyp" in ask(small, f"/studio/takes/{take['name']}/file", options | {"format": "mp4"})[:16]
    wrong = {"generator": {"type": "ms-sync", "levels": 0}}
    assert "levels" in refused(lambda: ask(small, "/studio/models", wrong))[1]


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
