"""Whole files over HTTP, health and metrics."""

from __future__ import annotations

import io
import json
import re
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import numpy as np
import pytest
import soundfile

import headmotion as hm
from headmotion.serving import Server, ServerLimits
from headmotion.serving.client import connect

OPEN = build_opener(ProxyHandler({})).open
BOUNDARY = "headmotion-test"


def form(**fields: bytes | str) -> bytes:
    """Return a multipart form; bytes are files."""
    parts = []
    for name, value in fields.items():
        filename = f'; filename="../../{name}"' if isinstance(value, bytes) else ""
        content = value if isinstance(value, bytes) else value.encode()
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(server: Server, body: bytes, query: str = "", **headers: str) -> tuple[bytes, Message]:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **headers}
    with OPEN(Request(f"{server.address}/v1/motion{query}", body, headers), timeout=60) as response:
        return response.read(), response.headers


def refused(server: Server, body: bytes, query: str = "", **headers: str) -> tuple[int, str]:
    with pytest.raises(HTTPError) as error:
        post(server, body, query, **headers)
    with error.value as response:
        fields = json.loads(response.read())
    assert fields["type"] == "error" and "\n" not in fields["message"]
    return response.status, fields["message"]


def encoded(samples: np.ndarray, rate: int, format: str) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, samples, rate, format=format)
    return content.getvalue()


@pytest.fixture(scope="module")
def wav(speech: np.ndarray) -> bytes:
    return encoded(speech, 16_000, "WAV")


@pytest.mark.parametrize("format", ["npz", "json"])
def test_motion_is_that_of_generate(
    server: Server, small_pipe: hm.Pipeline, speech: np.ndarray, tmp_path: Path, format: str
) -> None:
    face = (small_pipe.representation.neutral() * 300 + 40).tolist()
    options = {"seed": 4, "fps": 30, "controls": {"lips": 1.3}, "reference": {"points": face}}
    stereo = np.stack([speech, speech], axis=1)
    content, headers = post(
        server, form(audio=encoded(stereo, 44_100, "FLAC"), options=json.dumps(options)), f"?format={format}"
    )
    (tmp_path / f"motion.{format}").write_bytes(content)
    motion = hm.Motion.load(tmp_path / f"motion.{format}")
    lips = [hm.controls.scale_lips(1.3)]
    # The file has 16 bits.
    (tmp_path / "speech.flac").write_bytes(encoded(stereo, 44_100, "FLAC"))
    local = small_pipe.generate(tmp_path / "speech.flac", reference=np.array(face), seed=4, fps=30, controls=lips)
    assert motion.frame and motion.fps == 30 and motion.values.shape == local.values.shape
    assert (motion.values - local.values).abs().max() <= 1e-5 * motion.frame.side
    assert headers["Connection"] == "close"


def test_tables_and_blend_shapes(server: Server, wav: bytes) -> None:
    table, headers = post(server, form(audio=wav, options='{"representation": "blendshapes"}'), "?format=csv")
    assert table.startswith(b"time,") and table.count(b"\n") == 26 and headers.get_content_type() == "text/csv"
    weights, _ = post(server, form(audio=wav, options='{"representation": "blendshapes"}'), "?format=live-link")
    assert weights.startswith(b"Timecode")


PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
BAD_FORMS: dict[str, tuple[dict[str, bytes | str], str, str]] = {
    "no audio": ({"options": "{}"}, "", "a form with the files audio and picture, and the text options"),
    "text as audio": ({"audio": "speech.wav"}, "", "a form with the files audio and picture, and the text options"),
    "a path": ({"audio": b"", "path": "/etc/passwd"}, "", "request: expected a form with"),
    "garbage": ({"audio": b"garbage" * 9}, "", "one of the formats WAV"),
    "empty": ({"audio": b""}, "", "one of the formats WAV"),
    "playlist": ({"audio": PLAYLIST}, "", "one of the formats WAV"),
    "options": ({"audio": b"", "options": '{"audio": "/etc/passwd"}'}, "", "expected no field 'audio'"),
    "model": ({"audio": b"", "options": '{"model": "../../etc/passwd"}'}, "", "one of small, second"),
    "format": ({"audio": b""}, "?format=../x", "format: expected one of npz, json"),
    "frame rate": ({"audio": b"", "options": '{"fps": "0"}'}, "", "one of the formats WAV"),
}


@pytest.mark.parametrize("case", BAD_FORMS)
def test_bad_forms(server: Server, case: str) -> None:
    fields, query, expected = BAD_FORMS[case]
    status, message = refused(server, form(**fields), query)
    assert status == 400 and expected in message


def test_bad_audio_and_pictures(server: Server, wav: bytes, speech: np.ndarray) -> None:
    assert "another file" in refused(server, form(audio=wav[:20]))[1]
    nan = speech.copy()
    nan[500] = np.nan
    content = io.BytesIO()
    soundfile.write(content, nan, 16_000, format="WAV", subtype="FLOAT")
    assert "finite samples" in refused(server, form(audio=content.getvalue()))[1]
    assert "up to 2 channels of 8000" in refused(server, form(audio=encoded(speech, 4_000, "WAV")))[1]
    three = np.stack([speech] * 3, axis=1)
    assert "up to 2 channels" in refused(server, form(audio=encoded(three, 16_000, "WAV")))[1]
    assert "a picture in one of the formats" in refused(server, form(audio=wav, picture=PLAYLIST))[1]
    assert "frame rate" in refused(server, form(audio=wav, options='{"fps": "0"}'))[1]


def test_sizes_tokens_and_turns(small_pipe: hm.Pipeline, wav: bytes) -> None:
    limits = ServerLimits(upload_bytes=40_000, file_s=0.5)
    with Server({"small": small_pipe}, port=0, token="correct-horse-battery", limits=limits) as server:
        known = {"Authorization": "Bearer correct-horse-battery"}
        assert refused(server, form(audio=wav))[0] == 401
        status, message = refused(server, form(audio=wav), **known)
        assert (status, "at most 0.5 s of speech, got 1 s" in message) == (400, True)
        assert refused(server, form(audio=b"\0" * 100_000), **known)[0] == 413
        assert refused(server, form(audio=wav), **known, Origin="https://example.org")[0] == 403
        with OPEN(f"{server.address}/health") as response:
            assert json.loads(response.read()) == {"status": "ok", "version": 1}
        with pytest.raises(HTTPError) as error:
            OPEN(f"{server.address}/metrics")
        error.value.close()
        assert error.value.status == 401
    with Server({"small": small_pipe}, port=0, limits=ServerLimits(files=0)) as server:
        assert refused(server, form(audio=wav))[0] == 503


def value(metrics: str, name: str) -> float:
    found = re.search(rf"^headmotion_{re.escape(name)} ([\d.e+-]+)$", metrics, re.MULTILINE)
    assert found, name
    return float(found[1])


def test_health_and_metrics(small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    with Server({"small": small_pipe}, port=0) as server:

        def metrics() -> str:
            with OPEN(f"{server.address}/metrics") as response:
                assert response.headers.get_content_type() == "text/plain"
                return response.read().decode()

        with connect(server.url) as session:
            session.push(speech)
            with OPEN(f"{server.address}/health") as response:
                facts: dict[str, Any] = json.loads(response.read())
            assert facts == {"status": "ok", "version": 1, "models": ["small"], "sessions": 1}
            assert value(metrics(), 'sessions{client="present"}') == 1
            session.flush()
        text = metrics()
        assert value(text, 'audio_seconds_total{model="small"}') == 1
        assert value(text, 'frames_total{model="small"}') == 25
        assert value(text, 'sessions_ended_total{reason="finished"}') == 1
        assert value(text, 'sessions{client="present"}') == 0
        assert value(text, 'frame_delay_seconds_count{model="small"}') > 0


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/", 404, "expected a path out of /health, /metrics, /headmotion.js, /v1/motion, /v1/stream, got '/'"),
        ("/../etc/passwd", 404, "got '/../etc/passwd'"),
        ("/v2/stream", 404, "got '/v2/stream'"),
        ("/v1/motion", 405, "expected the method POST for this path, got GET"),
    ],
)
def test_paths(server: Server, path: str, status: int, message: str) -> None:
    with pytest.raises(HTTPError) as error:
        OPEN(f"{server.address}{path}")
    with error.value as response:
        fields = json.loads(response.read())
    assert response.status == status and fields["type"] == "error" and message in fields["message"]
    assert response.headers["Allow"] == ("POST" if status == 405 else None)


def test_pages(server: Server, wav: bytes) -> None:
    page = {"Origin": "http://localhost:3000"}
    _, headers = post(server, form(audio=wav), **page)
    assert headers["Access-Control-Allow-Origin"] == page["Origin"]
    with OPEN(Request(f"{server.address}/v1/motion", headers=page, method="OPTIONS")) as response:
        assert response.status == 204 and "Authorization" in response.headers["Access-Control-Allow-Headers"]
    with OPEN(Request(f"{server.address}/headmotion.js", headers=page)) as response:
        assert response.headers.get_content_type() == "text/javascript" and b"export async function" in response.read()
    status, message = refused(server, form(audio=wav), Origin="https://example.org")
    assert status == 403 and "a page of an allowed origin" in message
