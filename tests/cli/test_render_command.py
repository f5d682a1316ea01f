"""``headmotion render``: a saved motion becomes the video that animate writes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import headmotion as hm
from headmotion.cli import main

ASSETS = Path(hm.__file__).parent / "assets"
Run = Callable[[str], str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must succeed, and return what it prints on standard error."""
    monkeypatch.chdir(tmp_path)
    soundfile.write("s.wav", 0.1 * np.sin(np.arange(6400) / 9), 16_000)
    shutil.copy(ASSETS / "portrait.png", "p.png")
    shutil.copy(ASSETS / "portrait_landmarks.npz", "p.npz")

    def call(line: str) -> str:
        monkeypatch.setattr(sys, "argv", ["headmotion", *line.split()])
        with pytest.raises(SystemExit) as exit_:
            main()
        err = capfd.readouterr().err
        assert not exit_.value.code, err
        return err

    return call


def test_the_video_is_that_of_animate(run: Run) -> None:
    run("animate s.wav --image p.png --landmarks p.npz --size 64 -o m.npz -o one.mp4 -q")
    run("render m.npz --image p.png --audio s.wav --size 64 -o two.mp4 -q")
    assert Path("one.mp4").read_bytes() == Path("two.mp4").read_bytes()


def test_a_motion_without_a_picture_gets_the_pose_of_one(run: Run) -> None:
    run("animate s.wav -o m.npz -q")
    assert not run("render m.npz --image p.png --size 64 -o found.gif -q")
    assert not run("render m.npz --image p.png --landmarks p.npz --size 64 -o given.gif -q")
    assert Path("found.gif").stat().st_size and Path("given.gif").stat().st_size


@pytest.mark.parametrize("representation", ["landmarks68", "mesh478", "blendshapes"])
def test_motion_of_any_representation_is_drawn(representation: str, run: Run) -> None:
    built = hm.resolve_spec("representation", representation).build()
    values = built.neutral().expand(3, -1, -1)
    hm.Motion(values, 25, {"type": representation}, units="unit").save("m.npz")  # type: ignore[arg-type]
    run("render m.npz -o drawn -q")
    assert len(list(Path("drawn").iterdir())) == 3
