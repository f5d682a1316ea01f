"""Controls by option name and number, in Python and on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from talking import RATE, speech

import headmotion as hm
from headmotion import cli, controls


def test_options_become_controls_in_order() -> None:
    selected = hm.controls.from_options(
        head=0.5, lips=1.2, blink=12, smooth=80, look_at=(10, 5), close_silence=True, seed=4
    )
    assert hm.controls.from_options() == []
    assert [type(control).__name__ for control in selected] == [
        "Smooth",
        "ScaleLips",
        "CloseSilence",
        "ScaleHead",
        "LookAt",
        "Blink",
    ]
    assert controls.Blink(12, 4) in selected


@pytest.fixture
def animate(
    pipe: hm.Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., hm.Motion | str]:
    """Run ``headmotion animate`` on half a second of speech: the motion that is drawn, or the error."""
    drawn: list[hm.Motion] = []

    def render(self: hm.Pipeline, motion: Iterable[hm.Motion], path: Path, **_: object) -> Path:
        drawn.append(hm.Motion.concatenate(list(motion)))
        return path

    soundfile.write(tmp_path / "speech.wav", speech("a", seconds=0.5), RATE)
    monkeypatch.setattr(hm.Pipeline, "render", render)
    monkeypatch.setattr("headmotion.pipeline.loading.load", lambda *_, **__: pipe)

    def run(*options: str) -> hm.Motion | str:
        arguments = ["animate", str(tmp_path / "speech.wav"), "-o", str(tmp_path / "a.mp4"), *options]
        monkeypatch.setattr(sys, "argv", ["headmotion", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        error = capsys.readouterr().err
        return drawn.pop() if not exit_.value.code else error

    return run


def test_the_command_line_takes_names_and_numbers(pipe: hm.Pipeline, animate: Callable[..., Any]) -> None:
    audio = speech("a", seconds=0.5)
    plain = pipe.generate((audio, RATE), seed=3)
    assert (animate("--seed", "3").values - plain.values).abs().max() < 1e-3
    flags = "--head .5 --lips 1.2 --close-silence --smooth 80 --blink 40 --look-at 15,-5 --hold-pose --limit --seed 3"
    selected = controls.from_options(
        head=0.5,
        lips=1.2,
        close_silence=True,
        smooth=80,
        blink=40,
        look_at=(15, -5),
        hold_pose=True,
        limit=True,
        seed=3,
    )
    expected = pipe.generate((audio, RATE), seed=3, controls=selected)
    assert (animate(*flags.split()).values - expected.values).abs().max() < 1e-3
    assert (expected.values - plain.values).abs().max() > 1e-2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--head", "much"], "--head"),
        (["--head", "-1"], "scale-head spec: expected amount: a number from 0 to 10"),
        (["--look-at", "15"], "two numbers"),
        (["--look-at", "90,0"], "yaw"),
        (["--blink", "nan"], "rate"),
    ],
)
def test_mistakes_on_the_command_line(options: list[str], named: str, animate: Callable[..., Any]) -> None:
    error = animate(*options)
    assert error.startswith("error: ") and error.count("\n") == 1 and named in error
