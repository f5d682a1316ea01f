"""A session that a server has stored, for its successor to continue: one of the campaign's good inputs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import headmotion as hm

from . import good_files as good

TIMEOUT_S = 120
CLOSED = {1000, 1008}
"""Codes with which the session is closed: it has ended, or it was refused."""


def store(folder: Path) -> None:
    """Write a model, and the folder of a server that has stopped in the middle of a session."""
    good.MAKERS["model.safetensors"](folder / "model.safetensors")
    server = _server(folder / "model.safetensors", folder / "state").__enter__()
    with _connected(server) as socket:
        socket.send(json.dumps({"type": "hello", "version": 1, "samples": "float32"}))
        token = json.loads(socket.recv(TIMEOUT_S))["resume_token"]
        socket.send(good.speech(0.5).tobytes())
        socket.recv(TIMEOUT_S)
        server.__exit__()  # first, because a session whose client has left is not kept
    (folder / "token").write_text(token)


def resume() -> None:
    """Continue the session as its client, and print an error of the server as a command does."""
    from websockets.exceptions import ConnectionClosed

    from headmotion.cli.console import print_error

    for path in Path("state").iterdir():  # the server forgets old ones
        if path.is_file():
            os.utime(path)
    error = ""
    with _server(Path("model.safetensors"), Path("state")) as server, _connected(server) as socket:
        token = Path("token").read_text()
        try:
            socket.send(json.dumps({"type": "resume", "version": 1, "resume_token": token, "frames": 0}))
            while True:
                received = socket.recv(TIMEOUT_S)
                message = json.loads(received) if isinstance(received, str) else {}
                error = error or str(message.get("message", ""))
                if message.get("type") == "welcome":
                    socket.send(good.speech(0.5).tobytes())
                    socket.send('{"type": "end"}')
                elif message.get("type") == "end":
                    socket.send(json.dumps({"type": "received", "frames": message["frames"]}))
        except ConnectionClosed:
            pass
        assert socket.close_code in CLOSED, (socket.close_code, error)
    if error:
        print_error(error)
        sys.exit(2)


def _server(model: Path, state: Path) -> Any:
    from headmotion.serving import Server

    return Server({"small": hm.load(model, device="cpu")}, port=0, state=state)


def _connected(server: Any) -> Any:
    from websockets.sync.client import connect

    return connect(f"{server.url}/v1/stream", proxy=None, compression=None)
