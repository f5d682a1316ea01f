"""No command opens a connection or looks up a host unless the user asks for it in this call."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import soundfile
from judge import Judge

import headmotion as hm
from headmotion.cli.main import COMMANDS
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.export import onnx_runtime

ASSETS = Path(hm.__file__).parent / "assets"
EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")

_seen: list[str] | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is not None and event in EVENTS and not isinstance(arguments[-1], str | bytes):  # not sockets of a path
        _seen.append(f"{event} {arguments}")


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """What is looked up or connected to from here on; the user's folders are empty ones."""
    global _seen
    if _seen is None:
        sys.addaudithook(_note)  # it cannot be removed
    _seen = []
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    yield _seen
    _seen = None


def test_the_guard_sees_connections(connections: list[str]) -> None:
    import socket

    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", 9), 0.1)
    assert any(seen.startswith("socket.getaddrinfo") for seen in connections)
    assert any(seen.startswith("socket.connect") for seen in connections)


def test_every_command(judge: Judge, workdir: Path, connections: list[str]) -> None:
    corpus = write_synthetic(workdir / "corpus", clips=8, seconds=2.2, clips_per_speaker=2)
    speech = hm.Audio.load(ASSETS / "speech.flac").read(16_000)[:16_000]
    soundfile.write(workdir / "speech.wav", speech, 16_000)
    (workdir / "videos").mkdir()

    used = {"synthesize", "say", *ALONE}

    def run(*arguments: object) -> None:
        outcome = judge._run([str(argument) for argument in arguments])
        assert outcome.status == 0, (arguments, outcome)
        assert not connections, (arguments, connections)
        used.add(str(arguments[0]))

    for listing in (["plugins"], ["plugins", "check", "assets"], ["licenses"], ["schema"], ["train", "--help"]):
        run(*listing)
    run("plugins", "new", "calm", "--kind", "loss", "-o", "calm")
    run("detect", ASSETS / "portrait.png", "-o", "pose.npz")
    run("animate", "speech.wav", "--image", ASSETS / "portrait.png", "--size", 256, "-o", "videos/talk.mp4")
    run("prepare", "videos", "-o", "prepared", "--workers", 0, "--min-seconds", 0.5, "--min-face-px", 8)
    run("inspect-corpus", "prepared")
    one_step = ("--set", "phases.syncers.steps=1", "--set", "phases.generator.steps=1")
    run("train", "smoke", "--data", corpus, "-o", "run", "-q", *one_step)
    few = ("--metric", "lmd", "--seeds", 1, "--split", "train", "--limit", 1, "--baseline", "none")
    run("evaluate", "run/model.safetensors", "--data", corpus, "-o", "report", *few)
    run("compare", "report", "report")
    run("inspect", "run/model.safetensors")
    run("animate", "speech.wav", "--model", "ms-sync", "-o", "talk.npz")
    run("export", "talk.npz", "-o", "talk.csv")
    run("render", "talk.npz", "--size", 128, "-o", "lines.mp4")
    run("demo", "-o", "out")
    assert used == {command.name for command in COMMANDS}


@pytest.mark.parametrize(
    "arguments", [["synthesize", "-o", "corpus", "--clips", "2"], ["say", "good morning", "-o", "speech.wav"]]
)
def test_commands_that_speak(arguments: list[str], judge: Judge, connections: list[str]) -> None:
    if find_spec("espeakng_loader") is None:
        pytest.skip("needs the extra espeak")
    outcome = judge._run(arguments)
    assert outcome.status == 0 and not connections, (outcome, connections)


ALONE = ("serve", "studio", "mic")
"""Commands that do not end by themselves."""
GUARDED = """
import os, signal, sys, threading
from headmotion.cli import main

events = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")

def note(event, arguments):
    own = isinstance(arguments[-1] if arguments else "", (str, bytes))  # a socket that has a path
    if event in events and not own and "127.0.0.1" not in str(arguments):
        os.write(2, f"NETWORK {event} {arguments}".encode())

sys.addaudithook(note)
timer = threading.Timer(float(sys.argv.pop(1)), os.kill, (os.getpid(), signal.SIGINT))
timer.daemon = True  # a command may end before
timer.start()
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal on POSIX only")
@pytest.mark.parametrize("name", ALONE)
def test_commands_that_wait(name: str, tmp_path: Path) -> None:
    """They bind to this machine or send to the receiver that was named, and reach for nothing else."""
    arguments = {
        "serve": ["--port", "0", "--model", "ms-sync"],
        "studio": ["--port", "0", "--no-browser", "--model", "ms-sync"],
        "mic": ["--vmc", "127.0.0.1:9", "--input", str(ASSETS / "speech.flac")],
    }
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": str(Path(hm.__file__).parents[1])}
    command = [sys.executable, "-c", GUARDED, "15", name, *arguments[name]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    started = {"serve": "ms-sync at ", "studio": "studio at ", "mic": "listening"}[name]
    assert started in done.stdout + done.stderr, done
    assert "NETWORK" not in done.stderr and "Traceback" not in done.stderr, done.stderr


SESSION = """
import sys
from onnx import TensorProto, helper
from headmotion.export.onnx_runtime import import_onnx_runtime

runtime = import_onnx_runtime()
value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", value[:1], value[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
"""


def test_onnx_runtime_is_imported_with_its_telemetry_off(tmp_path: Path) -> None:
    """Its network code is not Python, so the guard would not see it; but with telemetry it leaves an identifier."""
    if find_spec("onnxruntime") is None:
        pytest.skip("needs the extra onnx")
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": str(Path(hm.__file__).parents[1])}
    for name in ("XDG_CACHE_HOME", onnx_runtime.TELEMETRY_VARIABLE):
        environment.pop(name, None)
    subprocess.run([sys.executable, "-c", SESSION], env=environment, check=True, timeout=60)
    assert not list(tmp_path.rglob("*"))


def test_an_onnx_runtime_that_cannot_be_silenced_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    silent: Any = type(sys)("onnxruntime")
    silent.__version__ = "9.9"
    monkeypatch.setitem(sys.modules, "onnxruntime", silent)
    with pytest.raises(hm.HeadmotionError, match=r"whose telemetry can be switched off, got version 9\.9"):
        onnx_runtime.import_onnx_runtime()
