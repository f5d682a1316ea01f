"""``headmotion serve``: what it refuses before it serves, and a server that a client reaches and Ctrl-C ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from click.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_raw

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.default_model import DEFAULT_MODEL
from headmotion.serving.client import connect


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--host", "0.0.0.0"], "a token for an address that others can reach"),
        (["--limit", "sessions"], "'sessions' is not NAME=VALUE"),
        (["--limit", "sessions=many"], "expected sessions: a whole number"),
        (["--model", "run/model.safetensors"], "is a file: give it a name"),
        (["--model", "ms-sync2"], "one of the bundled models"),
        (["--shared-state"], "--shared-state is for a folder (--state)"),
        (["--origin", "example.org"], "an origin such as https://example.org"),
        (["--limit", "connections=999999999"], "open files"),
        (["--state", "face.png"], "Invalid value for --state"),
    ],
)
def test_refused(arguments: list[str], expected: str) -> None:
    result = CliRunner().invoke(cli, ["serve", "--port", "0", *arguments])
    assert result.exit_code and expected in f"{result.output} {result.exception}"


def test_a_server_in_a_process_of_its_own(tmp_path: Path) -> None:
    token = tmp_path / "token.txt"
    token.write_text("correct-horse-battery\n")
    command = [sys.executable, "-m", "headmotion", "serve", "--port", "0", "--token-file", str(token)]
    environment = os.environ | {"PYTHONPATH": str(Path(hm.__file__).parents[1])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    ) as process:
        try:
            assert process.stdout is not None
            name, _, url = process.stdout.readline().strip().partition(" at ")
            assert name == DEFAULT_MODEL
            with connect(url, token="correct-horse-battery") as session:
                session.push(np.zeros(3_200, np.float32))
                assert len(session.flush()) == 5
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
            assert (process.returncode, err) == (130, "stopped\n")
        finally:
            process.kill()  # else leaving the context would wait for it


@pytest.mark.parametrize("command", ["serve", "studio --no-browser"])
def test_several_interrupts_are_one(command: str) -> None:
    words = [sys.executable, "-m", "headmotion", *command.split(), "--model", "ms-sync", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(Path(hm.__file__).parents[1])}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip().partition("://")[2]
            urlopen(f"http://{address}/health", timeout=30).close()  # so it runs
            for _ in range(20):
                process.send_signal(signal.SIGINT)
                time.sleep(0.01)
            _, err = process.communicate(timeout=30)
            assert (process.returncode, err) == (130, "stopped\n")
        finally:
            process.kill()


def test_a_server_without_interrupts_ends_quietly() -> None:
    """As in a script, which starts it by ``headmotion serve &``, so that Ctrl-C is ignored."""
    words = [sys.executable, "-m", "headmotion", "serve", "--model", "ms-sync", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(Path(hm.__file__).parents[1])}
    ignored = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", ignored, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip().partition(" at ")[2]
            hello = {"type": "hello", "version": 1, "rate": 22_050}
            with connect_raw(f"{url}/v1/stream", proxy=None) as client:
                for message in (json.dumps(hello), *[bytes(2 * 22_050)] * 10):  # more than it may send ahead
                    client.send(message)
                with pytest.raises(ConnectionClosed):
                    while True:
                        client.recv()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
            assert (process.returncode, err) == (0, "")
        finally:
            process.kill()
