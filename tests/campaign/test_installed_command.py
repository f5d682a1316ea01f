"""A sample of the campaign through the installed command, with its memory measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import test_malformed_models as models
import test_malformed_pictures as pictures
import test_malformed_poses as poses
import test_malformed_recipes as recipes
import test_malformed_speech as speech
from judge import LIMIT, Outcome, alarm, check, contents

COMMAND = Path(sys.executable).with_name("headmotion")
MEMORY = 1 << 30
"""Bytes that no malformed input may take."""

ANIMATE = "animate {} --model model.safetensors -o made/talk.mp4"
DRAW = "animate speech.wav --model model.safetensors --image {} --landmarks pose.npz -o made/talk.mp4"
POSE = "animate speech.wav --model model.safetensors --landmarks {} -o made/talk.mp4"
TRAIN = "train {} --data corpus -o made"
LOAD = "animate speech.wav --model {} -o made/talk.mp4"


def model(key: str) -> Callable[[Path], object]:
    """A changed copy of the good model beside it."""
    return lambda path: path.write_bytes(models.REFUSED[key]((path.parent / "model.safetensors").read_bytes()))


SAMPLE: list[tuple[str, Callable[[Path], object], str]] = [
    ("no moov.mp4", speech.REFUSED["no moov.mp4"], ANIMATE),
    ("31 years late.mkv", speech.REFUSED["31 years late.mkv"], ANIMATE),
    ("text.mp3", speech.REFUSED["text.mp3"], ANIMATE),
    ("2^36 samples.flac", speech.REFUSED["2^36 samples.flac"], ANIMATE),
    ("20000 x 20000.png", pictures.REFUSED["20000 x 20000.png"], DRAW),
    ("pixels beyond the end.tiff", pictures.REFUSED["pixels beyond the end.tiff"], DRAW),
    ("scrambled.tiff", pictures.SCRAMBLED, DRAW),
    ("program.png", pictures.REFUSED["program.png"], DRAW),
    ("declares 3 GB.npz", poses.BAD_POSES["declares 3 GB.npz"], POSE),
    ("objects.npz", poses.BAD_POSES["objects.npz"], POSE),
    ("rate 1e999999999.json", poses.BAD_MOTIONS["rate 1e999999999.json"], "inspect {}"),
    ("a billion laughs.yaml", recipes.BAD["a billion laughs merged.yaml"], TRAIN),
    ("python.yaml", recipes.BAD["python.yaml"], TRAIN),
    ("pickle.safetensors", model("pickle"), LOAD),
    ("great.safetensors", model("spec of 10^12"), LOAD),
    ("header of 2^64.safetensors", model("header of 2^64"), "inspect {}"),
]


@pytest.mark.parametrize(("name", "write", "command"), SAMPLE, ids=[name for name, _, _ in SAMPLE])
def test_installed(
    name: str,
    write: Callable[[Path], object],
    command: str,
    workdir: Path,
    good: Mapping[str, bytes],
    good_corpus: Path,
) -> None:
    for needed in ("speech.wav", "pose.npz", "model.safetensors"):
        (workdir / needed).write_bytes(good[needed])
    shutil.copytree(good_corpus, workdir / "corpus")
    write(workdir / name)
    before = contents(workdir)
    outcome, memory = run([part.format(name) for part in command.split(" ")], workdir)
    check(outcome, workdir, before)
    assert outcome.status == 2
    assert memory < MEMORY


WATCH = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
seconds, kilobytes = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), seconds, kilobytes], file)
"""
"""A small process between, for the system counts what the process that starts another held as the other's."""


def run(arguments: list[str], folder: Path) -> tuple[Outcome, int]:
    """What the command did, and the bytes of memory that it took."""
    out, err, usage = (folder.parent / name for name in ("out", "err", "usage.json"))
    with out.open("w") as stdout, err.open("w") as stderr, alarm(6 * LIMIT):
        watching = [sys.executable, "-S", "-c", WATCH, usage, COMMAND, *arguments]
        subprocess.run(watching, cwd=folder, stdout=stdout, stderr=stderr, check=True)
    status, seconds, kilobytes = json.loads(usage.read_text())
    return Outcome(status, out.read_text(), err.read_text(), seconds), kilobytes * 1024
