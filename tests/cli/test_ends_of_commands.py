"""How commands end: streams that are closed or full, and errors after native libraries have been used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import headmotion as hm

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line in which HEADMOTION is the command."""
    environment = os.environ | {"PYTHONPATH": str(Path(hm.__file__).parents[1])}
    line = line.replace("HEADMOTION", f"'{sys.executable}' -m headmotion")
    return subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_like_the_null_device(closed: str, tmp_path: Path) -> None:
    done = shell(f"HEADMOTION schema {closed}; HEADMOTION schema -o s.json {closed}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "s.json").read_text())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_output_is_named(unbuffered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    done = shell("HEADMOTION plugins > /dev/full", tmp_path)
    assert (done.returncode, done.stderr) == (2, "error: standard output: No space left on device\n")


def test_an_error_after_resampling_is_one_line(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "s.wav", np.zeros(22_050), 22_050)
    done = shell("ulimit -f 2; HEADMOTION animate s.wav -q -o x.mp4", tmp_path)
    expected = "error: video: expected a file that can be written, got x.mp4 (File too large)\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_several_interrupts_are_one(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "s.wav", np.zeros(22_050 * 120), 22_050)
    command = [sys.executable, "-m", "headmotion", "animate", "s.wav", "-q", "-o", "made/x.mp4"]
    environment = os.environ | {"PYTHONPATH": str(Path(hm.__file__).parents[1])}
    running = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    with running:
        while not (tmp_path / "made").exists() and running.poll() is None:
            time.sleep(0.02)
        time.sleep(0.2)
        while running.poll() is None:
            running.send_signal(signal.SIGINT)
            time.sleep(0.02)
        assert running.stderr is not None
        err = running.stderr.read().lstrip("\n")
    assert (running.returncode, err) == (130, "error: interrupted\n")
    assert not list(tmp_path.rglob("*.mp4"))
