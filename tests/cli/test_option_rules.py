"""No option of any command is ignored: each always has an effect, or a rule says when, and is an error otherwise."""

from __future__ import annotations

import errno
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import click
import numpy as np
import pytest
import soundfile

import headmotion as hm
from headmotion.cli import cli, main
from headmotion.pipeline.unused_options import DETECTION, DRAWING

ASSETS = Path(hm.__file__).parent / "assets"
EVERYWHERE = {"output", "outputs", "quiet", "help"}
"""Parameters that have an effect in every case."""
ALWAYS = {
    "demo": {"device", "seed"},
    "animate": {
        *("audio", "jobs", "model", "device", "seed", "fps", "style", "listener_audio", "audio_track", "landmarks"),
        *("head", "lips", "close_silence", "smooth", "blink", "look_at", "hold_pose", "weights", "limit", "control"),
        *DETECTION,  # these and the next by `unused_options`, which tables of jobs share
        *(*DRAWING, "mouth", "image"),
    },
    "say": {"text", "voice", "words_per_minute", "pitch", "phonemes"},
    "render": {"motion", "image", "model", "device", *DRAWING},
    "detect": {"source", "representation", "detector", "face"},
    "prepare": {"videos", "representation", "frames", "speaker", "val", "license", "distribute"},
    "synthesize": {"kind", "clips", "seed"},
    "inspect-corpus": {"corpus", "syncers"},
    "train": {"recipe", "data", "overrides", "start", "dry_run", "device", "seed"},
    "evaluate": {"subject", "data", "split", "limit", "metrics", "baselines", "rank", "seed", "device"},
    "compare": {"reports"},
    "export": {"source"},
    "serve": {"models", "host", "port", "token_file", "origins", "limits", "state", "device"},
    "mic": {"window", "vmc", "live_link", "recording", "model", "blink", "device", "seed"},
    "studio": {"models", "port", "browser", "device"},
    "plugins list": set(),
    "plugins check": {"name", "level", "specs"},
    "plugins new": {"name", "kind"},
    "licenses": set(),
    "schema": {"what"},
    "inspect": {"file"},
}
"""Parameters by command that have an effect whatever else is given."""


def commands() -> dict[str, click.Command]:
    found = {name: command for name, command in cli.commands.items() if name != "doctor"}
    group = found.pop("plugins")
    assert isinstance(group, click.Group)
    return found | {f"plugins {name}": command for name, command in group.commands.items()}


@pytest.mark.parametrize("name", ALWAYS)
def test_each_parameter_always_has_an_effect_or_has_a_rule(name: str) -> None:
    command = commands()[name]
    ruled = {option for rule in getattr(command.callback, "rules", ()) for option in rule.options}
    assert {parameter.name for parameter in command.params} - EVERYWHERE == (ALWAYS[name] | ruled) - EVERYWHERE


def test_every_command_is_listed() -> None:
    assert set(commands()) == set(ALWAYS)


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    soundfile.write("s.wav", np.zeros(1600), 16_000)
    shutil.copy(ASSETS / "portrait.png", "p.png")
    shutil.copy(ASSETS / "portrait_landmarks.npz", "p.npz")
    hm.Motion(np.zeros((3, 68, 2), np.float32), 25).save("m.npz")  # type: ignore[arg-type]
    Path("motions").mkdir()
    shutil.copy("m.npz", "motions/a.npz")
    Path("empty").mkdir()
    Path("landmarks").mkdir()
    shutil.copy("p.npz", "landmarks/a.npz")
    Path("jobs.csv").write_text("audio,image\ns.wav,\n")
    Path("mouths.csv").write_text("audio,options\ns.wav,mouth=closed\n")
    Path("recipe.yaml").write_text("name: mine\nphases: {}\n")
    return tmp_path


@pytest.fixture
def mistake(workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail with one line, and leave nothing."""

    def call(*arguments: str) -> str:
        before = set(workdir.rglob("*"))
        monkeypatch.setattr(sys, "argv", ["headmotion", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capfd.readouterr()
        assert (exit_.value.code, out) == (2, ""), err
        assert err.startswith("error: ") and err.count("\n") == 1, err
        assert set(workdir.rglob("*")) == before
        return err

    return call


WITHOUT_EFFECT = {
    "animate s.wav -o x.npz --mouth closed": "--mouth is for the face of a picture",
    "animate s.wav -o x.npz --face 2": "--face is for a picture or a video",
    "animate s.wav -o x.npz --detector nonsense": "--detector is for a picture or a video",
    "animate s.wav -o x.npz --landmarks p.npz --face 2": "--face is for a picture or a video",
    "animate s.wav -o x.npz --landmarks p.npz --image p.png": "--image is for videos and pictures",
    "animate s.wav -o x.npz --crop head": "--crop is for videos and pictures",
    "animate s.wav -o x.mp4 --timeout 3": "--timeout is for several files",
    "animate s.wav s.wav -o x --timeout 3 --workers 0": "--timeout is for other processes",
    "animate s.wav s.wav -o x --workers 2 --ray auto": "--workers is for processes of this machine",
    "animate s.wav s.wav -o x --mouth closed": "option mouth: expected the face of a picture",
    "animate s.wav s.wav -o x --format npz --size 64": "option size: expected videos and pictures",
    "animate --jobs jobs.csv --mouth closed": "option mouth: expected the face of a picture",
    "animate --jobs mouths.csv": "row 2, option mouth: expected the face of a picture",
    "say hello -o x.wav --image p.png": "--image is for a video or a motion",
    "say hello -o x.wav --model ms-sync": "--model is for a video or a motion",
    "render m.npz -o x.mp4 --landmarks p.npz": "--landmarks is for a picture (--image)",
    "render m.npz -o x.gif --audio s.wav": "--audio is for a video with sound",
    "detect p.png -o x.npz --fps 30": "--fps is for a video",
    "prepare landmarks -o x --detector mediapipe": "--detector is for videos",
    "prepare landmarks -o x --workers 2": "--workers is for videos",
    "prepare s.wav p.png -o x --frame-quality 50": "--frame-quality is for pictures of the face (--frames)",
    "prepare s.wav p.png -o x --max-offset-ms 50": "--max-offset-ms is for offsets that --syncers measure",
    "synthesize -o x --kind faces --voices m1": "--voices is for the kind 'spoken'",
    "train recipe.yaml --data x --dry-run --resume": "--resume is for a training",
    "train recipe.yaml --data x --dry-run -o x": "--output is for a training",
    "evaluate motions --data x -o y --workers 2": "--workers is for a model",
    "evaluate motions --data x -o y --baseline none --baseline static": "'none' stands alone",
    "export m.npz -o x.csv --seed 3": "--seed is for a MODEL",
    "export m.npz -o x.csv --precision int8": "--precision is for a MODEL",
    "export ms-sync -o x.onnx --to blendshapes": "--to is for a MOTION",
    "export ms-sync -o x.npz --precision int8": "--precision is for an .onnx file",
    "export -o x.onnx": "Missing argument 'MODEL|MOTION'",
    "export ms-sync -o x.onnx --image p.png": "--image is for a page (--web)",
    "export ms-sync -o x --web --precision int8": "--precision is for a file, not for --web",
    "serve --shared-state": "--shared-state is for a folder (--state)",
    "inspect m.npz --all": "--all is for a model",
    "mic --vmc 127.0.0.1:39539 --subject me": "--subject is for Live Link (--live-link)",
    "mic --vmc 127.0.0.1:39539 --microphone usb --input s.wav": "--microphone is for a microphone",
}


@pytest.mark.parametrize("line", WITHOUT_EFFECT)
def test_an_option_without_effect_is_one_line(line: str, mistake: Callable[..., str]) -> None:
    assert WITHOUT_EFFECT[line] in mistake(*line.split())


EMPTY_PATHS = [
    ["animate", "", "-o", "made", "--format", "npz"],
    ["animate", "s.wav", "-o", ""],
    ["animate", "s.wav", "-o", "x.npz", "--landmarks", ""],
    ["demo", "-o", ""],
    ["detect", "", "-o", "x.npz"],
    ["prepare", "", "-o", "made"],
    ["prepare", "landmarks", "-o", ""],
    ["synthesize", "-o", "", "--kind", "faces", "--clips", "1"],
    ["train", "smoke", "--data", "", "-o", "run"],
    ["train", "smoke", "--data", "landmarks", "-o", ""],
    ["evaluate", "", "--data", "landmarks", "-o", "report"],
    ["evaluate", "motions", "--data", "", "-o", "report"],
    ["evaluate", "motions", "--data", "landmarks", "-o", ""],
    ["compare", ""],
    ["export", "m.npz", "-o", ""],
    ["plugins", "new", "calm", "--kind", "loss", "-o", ""],
]


@pytest.mark.parametrize("arguments", EMPTY_PATHS, ids=" ".join)
def test_an_empty_path_is_not_the_current_folder(arguments: list[str], mistake: Callable[..., str]) -> None:
    assert "expected a path, got an empty text" in mistake(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["render", "m.npz", "-o", "x.mp4", "--output", "y.mp4"],
        ["plugins", "new", "calm", "-o", "a", "-o", "b"],
    ],
    ids=" ".join,
)
def test_of_two_values_none_is_ignored(arguments: list[str], mistake: Callable[..., str]) -> None:
    assert "--output is given 2 times, but takes one value" in mistake(*arguments)


WRONG_OUTPUTS = {
    "animate s.wav -o x.npz -o x.bvh": "bvh: expected a motion of joints",
    "animate s.wav -o x.mp4 -o x.bvh -o x.csv": "bvh: expected a motion of joints",
    "animate s.wav -o x.npz -o x.mp4 --crop head": "crop",
    "animate s.wav -o x.txt": ".gltf, .html, .vtt",
    "animate s.wav -o a.npz -o ./a.npz": "twice",
    "animate s.wav s.wav -o two.npz": "'two.npz' is a file's name",
    "animate s.wav s.wav -o two.mp4": "'two.mp4' is a file's name",
    "demo -o talk.mp4": "'talk.mp4' is a file's name",
    "prepare landmarks -o corpus.json": "'corpus.json' is a file's name",
    "synthesize -o x.npz --kind faces": "'x.npz' is a file's name",
    "train recipe.yaml --data x -o model.safetensors": "'model.safetensors' is a file's name",
    "evaluate ms-sync --data x -o report.html": "'report.html' is a file's name",
    "export ms-sync -o page.html --web": "'page.html' is a file's name",
    "plugins new calm --kind loss -o calm.zip": "'calm.zip' is a file's name",
    "plugins new calm --kind loss -o s.wav/x": "is not a folder that can be written to",
    "animate s.wav -o x.npz --style calm": "--style FILE of a command",
    "animate m.npz -o x.mp4": "'m.npz' is a motion, and speech is expected; headmotion render draws it",
    "render m.npz -o x.npz": "'x.npz' ends in none of .mp4",
    "render m.npz -o motions": "motions, which holds",
    "render s.wav -o x.mp4": "expected a motion file (.npz",
    "animate s.wav -o x.avi": "the name of a folder for pictures has no dot",
    "export m.npz -o x.csv --format live-link": "or --to blendshapes of headmotion export",
    "prepare empty -o x": "videos are files named .3gp, .asf",
    "detect p.png -o x": "'x' ends in none of .npz",
    "detect p.png -o x.mp4": "'x.mp4' ends in none of .npz",
    "animate s.wav -o x.mp4 --image s.wav": "'s.wav' is no picture",
    "animate s.wav -o x.mp4 --model m.npz": "m.npz, an .npz, which holds a motion or a pose",
    "inspect s.wav": "'s.wav' is neither a model (.safetensors) nor a motion (.npz",
}


@pytest.mark.parametrize("line", WRONG_OUTPUTS)
def test_all_outputs_are_checked_before_any_is_written(line: str, mistake: Callable[..., str]) -> None:
    assert WRONG_OUTPUTS[line] in mistake(*line.split())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that takes no files")
@pytest.mark.parametrize("line", ["animate s.wav -o /proc/x.npz", "schema -o /proc/x.json", "demo -o /proc"])
def test_an_error_names_the_output_and_no_hidden_file(line: str, mistake: Callable[..., str]) -> None:
    error = mistake(*line.split())
    assert "/proc" in error and ".headmotion-" not in error


@pytest.mark.parametrize(
    "line",
    [
        "animate s.wav -o new/a/x.npz -o other/x.csv",
        "detect p.png -o new/a/x.npz",
        "export m.npz -o new/a/x.csv",
        "schema -o new/a/x.json",
        "synthesize -o new/a/x --kind faces --clips 1",
        "plugins new calm --kind loss -o new/a/x",
    ],
)
def test_missing_folders_of_an_output_are_made(
    line: str, workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["headmotion", *line.split()])
    with pytest.raises(SystemExit) as exit_:
        main()
    out, err = capfd.readouterr()
    assert not exit_.value.code, err
    for made in out.split():
        assert (workdir / made).exists()


def test_names_of_files_that_failed_reach_the_terminal_escaped(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (workdir / "a\x1b[31m.wav").write_text("no sound")
    arguments = ["animate", "s.wav", "a\x1b[31m.wav", "-o", "made", "--format", "npz", "--workers", "0"]
    monkeypatch.setattr(sys, "argv", ["headmotion", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    err = capfd.readouterr().err
    assert exit_.value.code == 1 and "failed: a\\x1b[31m.wav" in err and "\x1b" not in err


def test_values_are_checked_before_the_model_is_loaded(mistake: Callable[..., str]) -> None:
    model = ["--model", "no-such-model"]
    assert "frame rate: expected a number" in mistake("animate", "s.wav", "-o", "x.npz", "--fps", "abc", *model)
    renderer = ["-o", "x.mp4", "--renderer", "skeletn"]
    assert "did you mean 'skeleton'" in mistake("animate", "s.wav", *renderer, *model)


@pytest.mark.parametrize(
    "line", ["animate s.wav -o x/talk.mp4", "train recipe.yaml --data x -o run", "prepare empty -o made"]
)
def test_a_full_disk_is_found_before_anything_is_loaded(
    line: str, mistake: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_bytes", mock.Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    assert "cannot be written to: No space left on device" in mistake(*line.split())
