"""Packages whose metadata is damaged: libraries that look for extensions read it, and no command may end by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

METADATA = b"Metadata-Version: 2.1\nName: headmotion-odd\nVersion: 1.0\n"
ENTRY_POINTS = b"[headmotion]\nodd = odd_plugin\n"
DAMAGED = {
    "entry points": (METADATA, b"[headmotion]\nodd\xff = odd_plugin\n"),
    "metadata": (METADATA + b"Author: \xe9\xff\n", ENTRY_POINTS),
    "no metadata": (b"", ENTRY_POINTS),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_all_own_parts_are_there(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "headmotion_odd-1.0.dist-info"
    folder.mkdir()
    for name, content in zip(("METADATA", "entry_points.txt"), DAMAGED[what], strict=True):
        (folder / name).write_bytes(content)
    (tmp_path / "odd_plugin.py").touch()
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "XDG_STATE_HOME": str(tmp_path / "state")}

    def output_of(*words: str) -> str:
        command = [sys.executable, "-m", "headmotion", *words]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    schema = json.loads(output_of("schema", "recipe"))
    assert "log-mel" in json.dumps(schema), "torch and pydantic can be imported, and so can all parts"
    listed = output_of("plugins", "list").splitlines()
    assert not [line for line in listed if line.endswith("error") and " headmotion 0" in line]


def test_other_plugins_are_checked(tmp_path: Path) -> None:
    hook = "from headmotion import hookimpl\n@hookimpl\ndef headmotion_specs(): return []\n"
    (tmp_path / "odd_plugin.py").write_text(hook)
    for name, content in ("headmotion_odd", ENTRY_POINTS), ("other", b"\xff\xfe[headmotion]\n"):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_bytes(METADATA)
        (folder / "entry_points.txt").write_bytes(content)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "headmotion", "plugins", "check", "odd"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "0 checks, 0 failed\n")


def test_what_a_plugin_prints_at_the_end_is_no_result(tmp_path: Path) -> None:
    folder = tmp_path / "headmotion_odd-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_bytes(METADATA)
    (folder / "entry_points.txt").write_bytes(ENTRY_POINTS)
    (tmp_path / "odd_plugin.py").write_text("import atexit\natexit.register(print, 'goodbye')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "headmotion", "schema"]
    ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(ended.stdout) and "goodbye" in ended.stderr
