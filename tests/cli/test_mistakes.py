"""One clear line for every mistake in a call of the command."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from installed_command import COMMAND, RATE, command, write_speech

import headmotion as hm


def write_huge_picture(path: Path, edge: int) -> None:
    """A white PNG, written row by row: 400 million pixels take 50 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    row = b"\0" + b"\xff" * (edge // 8)
    data = b"".join(packer.compress(row) for _ in range(edge)) + packer.flush()
    head = struct.pack(">IIBBBBB", edge, edge, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


# Speech that is not


def not_finite(path: Path) -> None:
    wave = np.zeros(RATE, np.float32)
    wave[500:] = np.nan
    soundfile.write(path, wave, RATE, subtype="FLOAT")


BAD_SPEECH: dict[str, Callable[[Path], Any]] = {
    "empty file": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(write_speech(path).read_bytes()[:9000]),
    "cut in the header": lambda path: path.write_bytes(write_speech(path).read_bytes()[:30]),
    "not finite": not_finite,
    "no samples": lambda path: soundfile.write(path, np.zeros(0), RATE),
    "text by another name": lambda path: path.write_text("this is not speech\n" * 50),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("fault", BAD_SPEECH)
def test_bad_speech(fault: str, workdir: Path, model: Path, mistake: Callable[..., str]) -> None:
    BAD_SPEECH[fault](workdir / "bad.wav")
    assert "bad.wav" in mistake("animate", "bad.wav", "--model", model, "-o", "made/a.mp4", "-q")


def test_missing_speech(mistake: Callable[..., str], model: Path) -> None:
    assert "nowhere.wav" in mistake("animate", "nowhere.wav", "--model", model, "-o", "a.mp4")


def test_bad_speech_through_the_installed_command(workdir: Path, model: Path) -> None:
    (workdir / "bad.wav").write_text("this is not speech")
    done = command("animate", "bad.wav", "--model", model, "-o", "a.mp4", folder=workdir)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: ") and [path.name for path in workdir.iterdir()] == ["bad.wav"]


# Other mistakes


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["animat"], "animat"),
        (["animate", "--nonsense"], "--nonsense"),
        (["animate", "s.wav"], "--output"),
        (["animate", "s.wav", "-o", "a.txt"], ".mp4"),
        (["animate", "s.wav", "-o", "folder.mp4"], "folder.mp4"),
        (["animate", "s.wav", "-o", "full"], "a new or empty folder"),
        (["animate", "s.wav", "-o", "a.mp4", "--crop", "neck"], "neck"),
        (["animate", "s.wav", "-o", "a.mp4", "--model", "MODEL", "--crop", "head"], "crop"),
        (["animate", "s.wav", "-o", "a.mp4", "--model", "MODEL", "--size", "3"], "size"),
        (
            ["animate", "s.wav", "-o", "a.mp4", "--model", "MODEL", "--image", "big.png", "--landmarks", "f.npz"],
            "pixels",
        ),
        (["animate", "s.wav", "-o", "s.wav/a.mp4"], "s.wav"),
        (["animate", "s.wav", "-o", "a.mp4", "--device", "abacus"], "abacus"),
        (["animate", "s.wav", "-o", "a.mp4", "--model", "ms-sink"], "ms-sync"),
        (["animate", "s.wav", "-o", "a.mp4", "--image", "nowhere.png"], "nowhere.png"),
        (["animate", "s.wav", "-o", "a.mp4", "--model", "MODEL", "--fps", "fast"], "fast"),
        (["animate", "s.wav", "-o", "a.mp4", "--model", "MODEL", "--renderer", "skeletn"], "skeleton"),
        (["animate", "s.wav", "-o", "a.mp4", "--model", "MODEL", "--landmarks", "s.wav"], "s.wav"),
        (["animate", "s.wav", "-o", "a.mp4", "--model", "MODEL", "--image", "p.png", "--face", "2"], "1 face"),
        (["animate", "s.wav", "-o", "a.mp4", "--model", "MODEL", "--style", "calm"], "SupportsStyle"),
        (["animate", "s.wav", "-o", "a.mp4", "--model", "MODEL", "--listener-audio", "s.wav"], "SupportsDialogue"),
        (["train", "no-such-recipe", "--data", ".", "-o", "run"], "no-such-recipe"),
        (["train", "extra.yaml", "--data", ".", "-o", "run"], "extra_field"),
        (["train", "unknown.yaml", "--data", ".", "-o", "run"], "ms-sync"),
        (["train", "fine.yaml", "--data", ".", "-o", "run", "--set", "oops"], "oops"),
        (["train", "fine.yaml", "--data", "nowhere", "-o", "run"], "nowhere"),
        (["train", "fine.yaml", "-o", "run"], "--data"),
        (["plugins", "check", "no-such-plugin"], "no-such-plugin"),
        (["plugins", "new", "Calm", "--kind", "loss"], "'Calm'"),
        (["plugins", "new", "calm", "--kind", "mood"], "audio_encoder"),
        (["plugins", "new", "calm", "--kind", "loss", "-o", "full"], "full"),
        (["inspect", "nowhere.safetensors"], "nowhere.safetensors"),
        (["evaluate", "ms-sync", "--data", "full", "-o", "r", "--metric", "{"], "--metric': expected a type, or JSON"),
        (["animate", "s.wav", "-o", "a.mp4", "--renderer", '{"size": 9}'], "--renderer': expected a type, or JSON"),
        (["inspect", "s.wav"], "s.wav"),
        (["inspect", "p.json"], "p.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(arguments: list[str], named: str, workdir: Path, model: Path, mistake: Callable[..., str]) -> None:
    write_speech(workdir / "s.wav", 0.2)
    (workdir / "folder.mp4").mkdir()
    (workdir / "full").mkdir()
    (workdir / "full" / "kept").write_text("kept")
    (workdir / "f.npz").write_bytes((Path(hm.__file__).parent / "assets/portrait_landmarks.npz").read_bytes())
    if "big.png" in arguments:
        write_huge_picture(workdir / "big.png", 20_000)
    (workdir / "p.png").write_bytes((Path(hm.__file__).parent / "assets/portrait.png").read_bytes())
    (workdir / "p.json").write_text("[]")
    (workdir / "fine.yaml").write_text("name: mine\nphases: {generator: {type: adversarial}}\n")
    (workdir / "extra.yaml").write_text("name: mine\nphases: {generator: {type: adversarial}}\nextra_field: 1\n")
    (workdir / "unknown.yaml").write_text("name: mine\npipeline: {generator: ms-sink}\n")
    assert named in mistake(*[model if argument == "MODEL" else argument for argument in arguments])


def test_errors_of_the_system_are_one_line(
    mistake: Callable[..., str], workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "made/schema.json")

    monkeypatch.setattr("headmotion.core.files.os.fsync", full)
    (workdir / "made").mkdir()
    assert mistake("schema", "-o", "made/schema.json") == "error: made/schema.json: No space left on device\n"


def test_interruption(workdir: Path, model: Path) -> None:
    write_speech(workdir / "long.wav", 600.0)
    arguments = [COMMAND, "animate", "long.wav", "--model", model, "-o", "made/a.mp4"]
    with subprocess.Popen(arguments, cwd=workdir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.strip().splitlines()[-1] == "error: interrupted" and "Traceback" not in err
    assert [path.name for path in workdir.rglob("*.*")] == ["long.wav"]


# Models that cannot be trusted or used


def changed(model: Path, target: Path, **changes: object) -> Path:
    """A copy of a model whose own metadata says something else."""
    raw = model.read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:end])
    own = json.loads(header["__metadata__"]["headmotion"]) | changes
    header["__metadata__"]["headmotion"] = json.dumps(own, sort_keys=True)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    target.write_bytes(len(text).to_bytes(8, "little") + text + raw[end:])
    return target


def other_weights(model: Path, target: Path) -> None:
    raw = bytearray(model.read_bytes())
    raw[-3] ^= 1
    target.write_bytes(raw)


def pickled(model: Path, target: Path) -> None:

    torch.save({"weight": torch.zeros(2)}, target)


BAD_MODELS: dict[str, tuple[Callable[[Path, Path], Any], str]] = {
    "other weights": (other_weights, "sha256"),
    "pickle": (pickled, "pickle"),
    "newer format": (lambda model, target: changed(model, target, format=999), "999"),
    "cut short": (lambda model, target: target.write_bytes(model.read_bytes()[:5000]), "bad.safetensors"),
    "empty": (lambda model, target: target.write_bytes(b""), "bad.safetensors"),
}


@pytest.mark.parametrize("fault", BAD_MODELS)
def test_bad_model(fault: str, workdir: Path, model: Path, mistake: Callable[..., str]) -> None:
    make, named = BAD_MODELS[fault]
    write_speech(workdir / "s.wav", 0.2)
    make(model, workdir / "bad.safetensors")
    assert named in mistake("animate", "s.wav", "--model", "bad.safetensors", "-o", "made/a.mp4")


def test_model_of_a_plugin_that_is_not_installed(
    workdir: Path, model: Path, mistake: Callable[..., str], run: Callable[..., tuple[int, str, str]]
) -> None:
    write_speech(workdir / "s.wav", 0.2)
    header = json.loads(run("inspect", model)[1])
    spec = header["spec"] | {"generator": {"type": "absent/net"}}
    changed(model, workdir / "bad.safetensors", spec=spec)
    assert "install the package of plugin 'absent', such as headmotion-absent" in mistake(
        "animate", "s.wav", "--model", "bad.safetensors", "-o", "made/a.mp4"
    )
    assert run("inspect", "bad.safetensors")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["s.wav", "--jobs", "s.wav", "-o", "x"], "not both"),
        ([], "--output"),
        (["-o", "x"], "AUDIO"),
        (["s.wav", "t.wav"], "--output"),
        (["s.wav", "-o", "x.npz", "-o", "x.npz"], "twice"),
        (["s.wav", "s.wav", "-o", "x", "-o", "y"], "one folder"),
        (["s.wav", "-o", "x.mp4", "--workers", "2"], "--workers is for several files"),
        (["s.wav", "-o", "x.mp4", "--format", "gif"], "--format is for several files"),
        (["none*.wav", "-o", "x"], "a pattern that matches"),
        (["s.wav", "./s.wav", "-o", "s.wav"], "s.wav"),
    ],
)
def test_mistakes_with_several_files_are_one_line(
    workdir: Path, mistake: Callable[..., str], arguments: list[str], complaint: str
) -> None:
    write_speech(workdir / "s.wav", 0.2)
    assert complaint in mistake("animate", *arguments)


@pytest.mark.parametrize(
    "words", [["synthesize"], ["evaluate", "ms-sync", "--data", "corpus"]], ids=lambda words: words[0]
)
def test_the_root_of_all_folders_is_no_output(mistake: Callable[..., str], workdir: Path, words: list[str]) -> None:
    (workdir / "corpus").mkdir()
    (workdir / "corpus" / "index.csv").touch()
    assert "'/' is the root of all folders; name one in it" in mistake(*words, "-o", "/")
