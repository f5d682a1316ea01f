"""The JavaScript client, run by Node.js against the real server."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headmotion as hm
from headmotion.serving import Server

TALK = Path(__file__).with_name("talk.mjs")
MIN_NODE = 20
"""First major version that has WebSocket, from 22 on without a flag."""


@pytest.fixture(scope="module")
def node() -> list[str]:
    """The command that runs a module."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("needs Node.js")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    major = int(version.removeprefix("v").partition(".")[0])
    if major < MIN_NODE:
        pytest.skip(f"needs Node.js {MIN_NODE}, not {version}")
    return [path, "--no-warnings", *(["--experimental-websocket"] if major < 22 else [])]


def talk(
    node: list[str], server: Server, speech: np.ndarray, folder: Path, picture: Path | None = None, **options: Any
) -> dict[str, Any]:
    audio = folder / "speech.f32"
    audio.write_bytes(speech.astype("<f4").tobytes())
    with as_file(files("headmotion.serving") / "headmotion.js") as module:
        command = [*node, str(TALK), module.as_uri(), server.url, json.dumps(options), str(audio)]
        command += [] if picture is None else [str(picture)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and not result.stderr, result.stderr
    fields: dict[str, Any] = json.loads(result.stdout)
    return fields


def assert_alike(fields: dict[str, Any], expected: hm.Motion) -> None:
    values = np.array(fields["values"], np.float32).reshape(expected.values.shape)
    side = 1.0 if expected.units == "unit" else expected.frame.side
    assert np.abs(values - expected.values.numpy()).max() <= 1e-5 * side
    assert fields["times"] == [float(time) for time in expected.timestamps()]


def test_frames_are_those_of_a_local_session(
    node: list[str], server: Server, small_pipe: hm.Pipeline, speech: np.ndarray, tmp_path: Path
) -> None:
    face = (small_pipe.representation.neutral() * 300 + 40).numpy()
    options: dict[str, Any] = {"seed": 5, "fps": "30"}
    fields = talk(
        node, server, speech, tmp_path, points=face.tolist(), samples="int16", controls={"lips": 1.2}, **options
    )
    samples = np.rint(speech * 32768).astype(np.int16)
    lips = [hm.controls.scale_lips(1.2)]
    assert_alike(fields, small_pipe.generate((samples, 16_000), reference=face, controls=lips, **options))
    assert fields["welcome"]["model"] == "small"


def test_a_broken_connection_is_resumed(
    node: list[str], server: Server, small_pipe: hm.Pipeline, speech: np.ndarray, tmp_path: Path
) -> None:
    fields = talk(node, server, speech, tmp_path, breaks=9)
    assert_alike(fields, small_pipe.generate((speech, 16_000)))


def test_one_push_takes_more_than_the_server_does_at_a_time(
    node: list[str], server: Server, small_pipe: hm.Pipeline, speech: np.ndarray, tmp_path: Path
) -> None:
    long = np.tile(speech, 6)
    fields = talk(node, server, long, tmp_path, size=len(long), alone=True)
    assert_alike(fields, small_pipe.generate((long, 16_000)))


def test_refusals(node: list[str], server: Server, speech: np.ndarray, tmp_path: Path) -> None:
    fields = talk(node, server, speech, tmp_path, model="../../etc/passwd")
    assert fields["name"] == "ServingError" and "model: expected one of small, second" in fields["error"]
    nan = speech.copy()
    nan[9_000] = np.nan
    assert "finite samples" in talk(node, server, nan, tmp_path)["error"]
    (tmp_path / "picture.png").write_bytes(b"no picture")
    picture = talk(node, server, speech, tmp_path, tmp_path / "picture.png")
    assert "a picture in one of the formats" in picture["error"]


def test_a_server_that_is_not_there(node: list[str], speech: np.ndarray, tmp_path: Path) -> None:
    class Nowhere:
        url = "ws://127.0.0.1:9"

    assert "a server at ws://127.0.0.1:9/v1/stream" in talk(node, Nowhere(), speech, tmp_path)["error"]


def test_the_module_is_short() -> None:
    lines = (files("headmotion.serving") / "headmotion.js").read_text("utf-8").splitlines()
    assert len(lines) <= 220 and max(map(len, lines)) <= 120


@pytest.mark.parametrize(("late", "got"), [("push", "ended"), ("end", "ended"), ("closed", "closed")])
def test_a_session_that_has_ended_takes_no_more(
    node: list[str], server: Server, speech: np.ndarray, tmp_path: Path, late: str, got: str
) -> None:
    fields = talk(node, server, np.tile(speech, 4), tmp_path, late=late)
    assert fields == {
        "error": f"session: expected an open session, got one that was {got}; connect again",
        "name": "ServingError",
    }


def test_a_broken_connection_is_seen(node: list[str], server: Server, speech: np.ndarray, tmp_path: Path) -> None:
    assert talk(node, server, speech, tmp_path, late="break") == {"connected": [True, False]}
