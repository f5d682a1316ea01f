"""Values on the command line that nobody should need, and names that only a file system could love."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from judge import Judge

from headmotion.cli.animate import animate

ANIMATE = ["animate", "speech.wav", "--model", "model.safetensors", "-q"]


@pytest.fixture(autouse=True)
def files(workdir: Path, good: Mapping[str, bytes]) -> None:
    for name in ("speech.wav", "face.png", "pose.npz", "model.safetensors", "motion.npz"):
        (workdir / name).write_bytes(good[name])


REFUSED = [
    *[("--fps", value) for value in ("0", "-1", "1001", "nan", "inf", "1e999999999", "1/0", "1/3/5", "", "25 fps")],
    *[("--seed", value) for value in ("-1", "1.5", "1e3", "9" * 30, "9" * 5000, "")],
    *[("--face", value) for value in ("0", "-1", "1.5", "smallest", "9" * 5000, "²")],
    *[("--look-at", value) for value in ("", ",", "5", "1,2,3", "left,up", "nan,0", "0,inf")],
    *[("--device", value) for value in ("abacus", "cuda:99", "")],
    *[("--renderer", value) for value in ("skeletn", "os.system", "absent/net", "portrait", "{}")],
    *[("--model", value) for value in ("", ".", "/", "/dev/null", "/dev/zero", "speech.wav", "ms-sync2", "a/b/c")],
    *[("--landmarks", value) for value in ("/dev/null", "/dev/zero", ".", "speech.wav", "")],
    *[("--image", value) for value in ("/dev/null", "/dev/zero", ".", "speech.wav", "pose.npz", "")],
    *[("-o", value) for value in ("", ".", "/", "talk.avi", "speech.wav/talk.mp4", "a" * 300 + ".mp4")],
    *[("-o", value) for value in ("/dev/null/talk.mp4", "/proc/talk.mp4", "model.safetensors/a/b/talk.mp4")],
]


@pytest.mark.parametrize(("option", "value"), REFUSED, ids=lambda value: value[:16])
def test_no_value(option: str, value: str, judge: Judge) -> None:
    output = [] if option == "-o" else ["-o", "made/talk.mp4"]
    judge.refused(*ANIMATE, *output, option, value)


@pytest.mark.parametrize("fps", ["1000", "0.001", "1/1000000", "33.333333333333333333", "12345.678/1000", "29.97"])
def test_odd_rates(fps: str, judge: Judge) -> None:
    judge(*ANIMATE, "-o", "made/talk.mp4", "--fps", fps)


NUMBERS = ["nan", "inf", "-inf", "1e308", "-1", "0", "1e-300", "9" * 400, "0x10", ""]
OPTIONS = sorted(
    option.opts[-1]
    for option in animate.params
    if option.type in (click.FLOAT, click.INT) or isinstance(option.type, click.FloatRange)
)


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: value[:16])
@pytest.mark.parametrize("option", OPTIONS)
def test_numbers(option: str, value: str, judge: Judge) -> None:
    """Every option that takes a number, whatever options there are."""
    judge(*ANIMATE, "-o", "made/talk.mp4", option, value)


NAMES = [
    *[
        "with spaces",
        "  ",
        "😀 👩‍👩‍👧",
        "two\nlines",
        "tab\there",
        'quote\'s "mark"',
        "back\\slash",
        "עברית",
        "$(id)",
        "*?[a]",
    ],
    *[
        "-o",
        "--help",
        "%s%d%n",
        "a:b",
        "file:a",
        "http:a",
        "~",
        "…",
        "é" * 120,
        "a" * 251,
        "\udcff\udcfe",
        "\x01\x1b[31m",
    ],
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:24])
def test_names(name: str, workdir: Path, judge: Judge, good: Mapping[str, bytes]) -> None:
    (workdir / name).mkdir()
    speech, talk = workdir / name / f"{name}.wav", Path(name, f"{name}.mp4")
    speech.write_bytes(good["speech.wav"])
    judge.accepted("animate", "--model", "model.safetensors", "-q", "-o", talk, "--", speech)
    assert (workdir / talk).stat().st_size
    (workdir / talk).unlink()
    speech.write_bytes(good["speech.mp3"])
    judge.accepted("animate", "--model", "model.safetensors", "-q", "-o", talk, "--", speech)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes among files")
def test_a_pipe_is_not_waited_for(workdir: Path, judge: Judge) -> None:
    for name in ("pipe.wav", "pipe.npz", "pipe.safetensors", "pipe.png", "pipe.json"):
        os.mkfifo(workdir / name)
    output = ["-o", "made/talk.mp4"]
    for arguments in (
        ["animate", "pipe.wav", "--model", "model.safetensors", *output],
        [*ANIMATE, *output, "--landmarks", "pipe.npz"],
        [*ANIMATE, *output, "--landmarks", "pose.npz", "--image", "pipe.png"],
        ["animate", "speech.wav", "--model", "pipe.safetensors", *output],
        ["inspect", "pipe.safetensors"],
        ["inspect", "pipe.npz"],
        ["inspect", "pipe.json"],
    ):
        judge.refused(*arguments)


@pytest.mark.parametrize("name", ["model.safetensors", "motion.json", "motion.npz", "recipe.yaml"])
def test_a_link_to_what_never_ends(name: str, workdir: Path, judge: Judge) -> None:
    (workdir / "endless").mkdir()
    link = workdir / "endless" / name
    link.symlink_to("/dev/zero")
    judge.refused("inspect", link)
    judge.refused("train", link, "--data", ".", "-o", "made")


def test_a_loop_of_links(workdir: Path, judge: Judge) -> None:
    (workdir / "loop.wav").symlink_to("loop.wav")
    judge.refused("animate", "loop.wav", "--model", "model.safetensors", "-o", "made/talk.mp4")
    judge.refused(*ANIMATE, "-o", "loop.wav/talk.mp4")
