"""The server on a local Ray cluster: the protocol through Ray's proxy, and sessions that change the replica."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import numpy as np
import pytest

import headmotion as hm
from headmotion.serving.client import connect, connect_async
from headmotion.serving.ray import RaySettings, app

TOKEN = "correct-horse-battery"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"model": "ms-sync"}, "no field 'model', got 'ms-sync'; did you mean 'models'"),
        ({"limits": {"sessions": 0}}, "limits.sessions: 1 or more"),
        ({"models": "a.safetensors"}, "which is a file: give it a name"),
        ({"replicas": 0}, "replicas: 1 or more"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], expected: str) -> None:
    with pytest.raises(hm.ServingError) as error:
        app(arguments)
    assert expected in str(error.value)


def test_arguments_as_serve_run_passes_them() -> None:
    settings = RaySettings.parse({"models": "ms-sync,talk=talk.safetensors", "replicas": "3"})
    assert settings.models == ("ms-sync", "talk=talk.safetensors") and settings.replicas == 3


@pytest.fixture(scope="module")
def address(small_pipe: hm.Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two replicas on this machine."""
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'headmotion[ray]'")
    serve = pytest.importorskip("ray.serve", reason="Ray Serve is not installed: pip install 'headmotion[ray]'")
    folder = tmp_path_factory.mktemp("ray")
    model = small_pipe.save(folder / "small.safetensors")
    (folder / "token.txt").write_text(TOKEN)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}}
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=environment)
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        arguments = {"models": f"small={model}", "token_file": folder / "token.txt", "state": folder / "state"}
        serve.run(app({**arguments, "replicas": 2, "cpus": 0.5}))
        yield f"127.0.0.1:{port}"
        serve.shutdown()
        ray.shutdown()


def test_sessions(address: str, small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    with connect(f"ws://{address}", token=TOKEN, controls={"blink": 12}) as session:
        chunks = [session.push(speech[start : start + 800]) for start in range(0, 16_000, 800)]
        motion = hm.Motion.concatenate([*chunks, session.flush()])
    local = small_pipe.generate((speech, 16_000), controls=[hm.controls.blink(12)])
    assert len(motion) == len(local) and local.frame is not None
    assert (motion.values - local.values).abs().max() < 1e-5 * local.frame.side
    with pytest.raises(hm.ServingError, match="its token, got another one"), connect(f"ws://{address}", token="x" * 16):
        pass


def test_files_and_health(address: str) -> None:
    open_url = build_opener(ProxyHandler({})).open
    with open_url(f"http://{address}/health") as response:
        assert json.loads(response.read()) == {"status": "ok", "version": 1}
    for path, body in (("metrics", None), ("v1/motion", b"x")):
        with pytest.raises(HTTPError, match="401"):
            open_url(f"http://{address}/{path}", body)


def test_a_session_goes_on_at_any_replica(address: str, small_pipe: hm.Pipeline, speech: np.ndarray) -> None:
    async def talk() -> hm.Motion:
        async with connect_async(f"ws://{address}", token=TOKEN) as session:
            messages = []
            for start in range(0, 16_000, 2_000):
                await session.push(speech[start : start + 2_000])
                await asyncio.sleep(0.2)
                messages += await session.take()
                session._socket.transport.abort()
            await session.end()
            return session.motion([*messages, *[message async for message in session]])

    motion, local = asyncio.run(talk()), small_pipe.generate((speech, 16_000))
    assert len(motion) == len(local) and local.frame is not None
    assert (motion.values - local.values).abs().max() < 1e-5 * local.frame.side


def test_without_a_token_no_replica_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from headmotion.serving.ray import replica

    monkeypatch.delenv("HEADMOTION_SERVE_TOKEN", raising=False)
    with pytest.raises(hm.ServingError, match="a token for an address that others can reach"):
        replica(RaySettings())
    with pytest.raises(hm.ServingError, match="a file with its token"):
        replica(RaySettings(token_file=tmp_path / "none.txt"))
