"""Speech that comes through a pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import headmotion as hm

SMALL = {"type": "ms-sync", "preset": "small", "hidden_size": 32, "pose_size": 16, "branch_size": 16}
ANIMATE = f"{sys.executable} -m headmotion animate --model model.safetensors"


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("piped")
    hm.build({"generator": SMALL}, device="cpu").save(folder / "model.safetensors")
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    soundfile.write(folder / "speech.wav", noise, 16_000)
    return folder


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(
    "line",
    [
        f"cat speech.wav | {ANIMATE} - -o talk.mp4 -o talk.npz",
        f"{ANIMATE} - -o talk.npz < speech.wav",
        f"cat speech.wav | {ANIMATE} /dev/stdin -o talk.npz",
        f"{ANIMATE} <(cat speech.wav) -o talk.npz",
    ],
)
def test_motion_is_that_of_the_file(workdir: Path, line: str) -> None:
    done = shell(line, workdir)
    assert (done.returncode, done.stderr) == (0, "")
    pipe = hm.load(workdir / "model.safetensors", device="cpu")
    expected = pipe.generate(workdir / "speech.wav").values
    assert (hm.Motion.load(workdir / "talk.npz").values - expected).abs().max() < 1e-5


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"true | {ANIMATE} - -o none.npz", "error: piped speech: expected an audio file or a video, got nothing"),
        (f"echo hello | {ANIMATE} - -o none.npz", "expected audio that can be decoded"),
        (f"{ANIMATE} - -o none.npz <&-", "standard input: expected speech from a file or program, got none"),
        (f"mkfifo pipe; {ANIMATE} pipe -o none.npz", "is a device or pipe, not a file: write it to a file first."),
        (f"{ANIMATE} /dev/zero -o none.npz", "is a device or pipe, not a file: write it to a file first."),
    ],
)
def test_mistakes(workdir: Path, line: str, message: str) -> None:
    done = shell(line, workdir)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert not (workdir / "none.npz").exists()


def test_an_endless_pipe_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from headmotion.cli import piped_speech

    monkeypatch.setattr(piped_speech, "PIPED_BYTES", 3 << 20)
    with (
        Path("/dev/zero").open("rb") as source,
        (tmp_path / "copy").open("wb") as target,
        pytest.raises(hm.AudioError, match="piped speech: expected at most 3,145,728 bytes, got more"),
    ):
        piped_speech._copy(source, target)
    assert (tmp_path / "copy").stat().st_size <= 3 << 20
