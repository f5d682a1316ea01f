"""The installed command: its results, and one clear line for every mistake."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

import headmotion as hm
from headmotion import cli
from headmotion.cli import demo
from headmotion.core.checkpoint import load_checkpoint, save_checkpoint
from headmotion.media.audio_container import ContainerSource
from headmotion.media.audio_file import SoundFileSource

COMMAND = Path(sys.executable).with_name("headmotion")
RATE = 16_000


def command(*arguments: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *map(str, arguments)], cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights: what it generates does not matter."""
    spec = hm.PipelineSpec(generator={"type": "ms-sync", "preset": "small"})  # type: ignore[arg-type]
    return hm.build(spec).save(tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture
def run(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command's own entry point in this process: status, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["headmotion", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        captured = capfd.readouterr()
        return int(exit_.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def mistake(run: Callable[..., tuple[int, str, str]], workdir: Path) -> Callable[..., str]:
    """Run a command that must fail: one line, status 2, and no file made. Returns the line."""

    def call(*arguments: object) -> str:
        before = set(workdir.rglob("*"))
        status, out, err = run(*arguments)
        assert (status, out) == (2, ""), err
        assert err.startswith("error: ") and err.count("\n") == 1, err
        assert set(workdir.rglob("*")) == before
        return err

    return call


def write_speech(path: Path, seconds: float = 1.0, rate: int = RATE) -> Path:
    wave = 0.3 * np.sin(2 * np.pi * 180 * np.arange(round(seconds * rate)) / rate)
    soundfile.write(path, wave * (np.arange(len(wave)) % 4000 < 2500), rate)
    return path


def write_huge_picture(path: Path, edge: int) -> None:
    """A white PNG, written row by row: 400 million pixels take 50 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(1)
    row = b"\0" + b"\xff" * (edge // 8)
    data = b"".join(packer.compress(row) for _ in range(edge)) + packer.flush()
    head = struct.pack(">IIBBBBB", edge, edge, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def frames_of(video: Path) -> tuple[int, Fraction, bool]:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        return sum(1 for _ in container.decode(stream)), Fraction(stream.average_rate), bool(container.streams.audio)


# The whole way


def test_demo_makes_a_talking_head(tmp_path: Path) -> None:
    done = command("demo", "-o", "made", folder=tmp_path)
    names = ["talk.mp4", "face.png", "face.npz", "speech.wav"]
    assert (done.returncode, done.stdout.split()) == (0, [f"made/{name}" for name in names]), done.stderr
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == sorted(names)
    count, fps, sound = frames_of(tmp_path / "made/talk.mp4")
    assert sound and fps == 25 and 8 * 25 <= count <= 12 * 25


def test_demo_leaves_the_files_that_it_is_made_from(tmp_path: Path) -> None:
    paths = demo.write_inputs(tmp_path)
    assert demo.write_inputs(tmp_path) == paths == [tmp_path / name for name in ("face.png", "face.npz", "speech.wav")]
    assets = Path(hm.__file__).parent / "assets"
    bundled, speech = hm.Audio.load(assets / "speech.flac"), hm.Audio.load(tmp_path / "speech.wav")
    assert (bundled.read(16_000) == speech.read(16_000)).all()
    pose = hm.load("ms-sync", device="cpu").reference(tmp_path / "face.npz").poses
    assert pose.shape[-2] == 68


def test_demo_replaces_no_picture_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(b"mine")
    done = command("demo", "-o", ".", folder=tmp_path)
    assert done.returncode == 2 and "expected no face.png of your own" in done.stderr
    assert (tmp_path / "face.png").read_bytes() == b"mine" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("suffix", [".mp3", ".flac"])
def test_animate_decodes_speech_once_for_frames_and_once_for_sound(
    run: Callable[..., tuple[int, str, str]], workdir: Path, model: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    speech = write_speech(workdir / f"speech{suffix}", 2.0)
    decoded = 0
    for source in (ContainerSource, SoundFileSource):

        def counted(self: Any, chunks: Any = source.chunks) -> Any:
            nonlocal decoded
            decoded += 1
            return chunks(self)

        monkeypatch.setattr(source, "chunks", counted)
    status, _, err = run("animate", speech, "--model", model, "-o", "talk.mp4", "--size", 64, "-q")
    assert status == 0, err
    assert decoded == 2
    assert frames_of(workdir / "talk.mp4")[0] == 50


def test_animate_with_picture_and_rate(workdir: Path, model: Path) -> None:
    write_speech(workdir / "speech.wav", 1.0)
    assets = Path(hm.__file__).parent / "assets"
    picture = ["--image", assets / "portrait.png", "--landmarks", assets / "portrait_landmarks.npz"]
    arguments = "animate", "speech.wav", *picture, "--model", model, "--fps", "30", "--seed", "1", "-o", "a.mp4"
    done = command(*arguments, folder=workdir, PYTHONPROFILEIMPORTTIME="1")
    assert (done.returncode, done.stdout) == (0, "a.mp4\n"), done.stderr
    assert frames_of(workdir / "a.mp4") == (30, 30, True)
    # Each takes longer to import than the speech to generate.
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "torch" in imported
    assert not imported & {"scipy", "librosa", "numba", "sympy", "torch._dynamo", "matplotlib", "rich"}


@pytest.mark.parametrize("output", ["a.gif", "frames/"])
def test_animate_makes_pictures(
    workdir: Path, model: Path, run: Callable[..., tuple[int, str, str]], output: str
) -> None:
    write_speech(workdir / "speech.wav", 0.2)
    status, out, err = run("animate", "speech.wav", "--model", model, "--size", "64", "-o", output, "-q")
    assert (status, out) == (0, f"{output.rstrip('/')}\n"), err
    made = [workdir / "a.gif"] if output == "a.gif" else sorted((workdir / "frames").iterdir())
    assert len(made) == (1 if output == "a.gif" else 5)
    with Image.open(made[-1]) as picture:
        assert picture.size == (64, 64)


def test_animate_writes_motion_for_other_programs(
    workdir: Path, model: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    soundfile.write("s.wav", np.zeros(3200), RATE)
    for name in ("m.csv", "m.npz"):
        status, out, err = run("animate", "s.wav", "--model", model, "--fps", "50", "--seed", 3, "-o", name)
        assert (status, out.strip()) == (0, name), err
    motion = hm.Motion.load("m.npz")
    rows = np.loadtxt("m.csv", delimiter=",", skiprows=1)
    assert rows.shape == (10, 1 + 136) and motion.fps == 50
    np.testing.assert_array_equal(rows[:, 1:].astype(np.float32), motion.values.flatten(1).numpy())
    expected = hm.load(model, device="cpu").generate("s.wav", seed=3, fps=50)
    torch.testing.assert_close(motion.values, expected.values)
    status, _, err = run("animate", "s.wav", "--model", model, "-o", "m.csv", "--size", 64)
    assert status == 2 and "--size is for videos and pictures." in err
    status, _, err = run("animate", "s.wav", "--model", model, "-o", "m.bvh")
    assert status == 2 and "joints" in err and not Path("m.bvh").exists()


def test_animate_crops_and_keeps_alpha(workdir: Path, model: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    write_speech(workdir / "speech.wav", 0.1)
    assets = Path(hm.__file__).parent / "assets"
    with Image.open(assets / "portrait.png") as portrait:
        keyed = portrait.convert("RGBA")
    keyed.paste((0, 0, 0, 0), (0, 0, 512, 20))
    keyed.save(workdir / "keyed.png")
    view = ["--image", "keyed.png", "--landmarks", assets / "portrait_landmarks.npz", "--crop", "head", "--size", 96]
    status, _, err = run("animate", "speech.wav", *view, "--model", model, "-o", "frames", "-q")
    assert status == 0, err
    with Image.open(workdir / "frames" / "000000.png") as picture:
        assert (picture.mode, picture.size) == ("RGBA", (96, 96))
        assert picture.getpixel((48, 0))[3] == 0 and picture.getpixel((48, 48))[3] == 255  # type: ignore[index]


# Quick answers


def _run_after(arguments: list[str], code: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run code in a process whose command line has run a command, and more code before that."""
    command = (
        f"sys.argv = ['headmotion', *{arguments}]\nfrom headmotion.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
    )
    whole = f"import atexit, gc, sys\n{before}{command}{code}"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_help_needs_no_torch_and_ends_without_a_search_for_cycles() -> None:
    done = _run_after(
        ["--help"],
        "heavy = {'torch', 'numpy', 'cv2', 'av', 'librosa', 'pydantic'} & set(sys.modules)\nassert not heavy, heavy\n",
        before="atexit.register(lambda: print('frozen:', gc.get_freeze_count() > 0))\n",
    )
    # What is printed at the end of the process is no result.
    assert "animate" in done.stdout and done.stderr.endswith("frozen: True\n")


def test_no_search_for_cycles_among_all_objects_while_torch_is_imported() -> None:
    _run_after(
        ["--help"],
        "before = gc.get_stats()\nimport torch\nyoung, _, all_objects = [\n"
        "    now['collections'] - then['collections'] for now, then in zip(gc.get_stats(), before)]\n"
        "assert young > 0 == all_objects, gc.get_stats()\n",
    )


@pytest.mark.parametrize("arguments", [["plugins"], ["schema"], ["schema", "recipe"], ["licenses"]])
def test_commands_about_specs_need_no_torch(arguments: list[str]) -> None:
    _run_after(arguments, "assert 'torch' not in sys.modules\n")


def test_schema_names_the_types(run: Callable[..., tuple[int, str, str]], workdir: Path) -> None:
    status, out, _ = run("schema")
    assert status == 0
    assert {"representation", "audio_encoder", "generator", "renderer"} <= set(json.loads(out)["properties"])
    assert "ms-sync" in out and "landmarks68" in out
    status, recipe, _ = run("schema", "recipe")
    phases = json.dumps(json.loads(recipe)["properties"]["phases"])
    assert status == 0 and all(name in phases for name in ("contrastive", "adversarial", "supervised", "fit"))
    status, printed, _ = run("schema", "-o", "made/schema.json")
    assert (status, printed) == (0, "made/schema.json\n")
    assert json.loads((workdir / "made/schema.json").read_text()) == json.loads(out)


def test_licenses_name_every_file_that_is_no_code(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run("licenses")
    assert status == 0
    package = Path(hm.__file__).parent
    bundled = {
        path.name
        for path in package.rglob("*.*")
        if path.suffix not in {".py", ".pyc", ".md", ".txt", ".yaml", ".typed", ".html", ".css", ".js"}
    }
    assert {"portrait.png", "speech.flac", "ms-sync.safetensors"} <= bundled
    for name in bundled:
        assert f"\n{name}  " in out and "  bundled, by " in out, name
    for weights in ("s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar", "face_landmarker.task"):
        (line,) = [line for line in out.splitlines() if line.startswith(weights)]
        assert "optional, by detectors" in line
    markdown = (package / "assets/LICENSES.md").read_text()
    assert all(
        f"`{path.name}`" in markdown for path in (package / "assets").iterdir() if path.suffix in (".png", ".flac")
    )


def test_plugins_lists_own_parts(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run("plugins")
    assert status == 0
    assert "generator:ms-sync" in out and "representation:landmarks68" in out
    assert "    model:ms-sync\n" in out and "    recipe:small-cpu\n" in out
    assert "    converter:mesh478 to landmarks68  (loses depth and all points but 68)\n" in out
    assert run("plugins", "list")[1] == out


def test_inspect_counts_many_sources_and_lists_all_on_request(
    run: Callable[..., tuple[int, str, str]], model: Path
) -> None:
    header, tensors = load_checkpoint(model)
    voices = [f"espeak, voice {k}" for k in range(50)]
    sources = ["GRID corpus, s1", "GRID corpus, s2", "a.mp4", *voices]
    earlier = {"name": "base", "sources": [f"{k}.mp4" for k in range(20)]}
    card = {"sources": sources, "from": [earlier, 3]}
    path = save_checkpoint(model.parent / "many.safetensors", header.spec, tensors, card=card)
    short = json.loads(run("inspect", path)[1])["card"]
    assert short["sources"] == [*sources[:3], *voices[:2], "... and 48 more that begin with 'espeak'"]
    assert short["from"] == [{"name": "base", "sources": [*earlier["sources"][:8], "... and 12 others"]}, 3]
    assert json.loads(run("inspect", path, "--all")[1])["card"] == card
    save_checkpoint(path, header.spec, tensors, card={"sources": sources[:8], "from": "nothing"})
    assert json.loads(run("inspect", path)[1])["card"]["sources"] == sources[:8]
    save_checkpoint(path, header.spec, tensors, card={"sources": {"a": 1}})
    assert json.loads(run("inspect", path)[1])["card"]["sources"] == {"a": 1}


def test_inspect_model_and_motion(run: Callable[..., tuple[int, str, str]], workdir: Path, model: Path) -> None:
    status, out, _ = run("inspect", model)
    assert status == 0
    assert json.loads(out)["spec"]["generator"]["type"] == "ms-sync"
    assert json.loads(run("inspect", "causal-flow")[1])["card"]["clips"] > 0
    hm.Motion(np.zeros((5, 68, 2), np.float32), Fraction(30000, 1001)).save("m.npz")  # type: ignore[arg-type]
    status, out, _ = run("inspect", "m.npz")
    described = json.loads(out)
    assert (status, described["frames"], described["fps"], described["points"]) == (0, 5, "30000/1001", 68)


def test_no_arguments_show_the_help(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run()
    assert status == 0 and "Commands:" in out


# Speech that is short or silent is fine


def test_thirty_milliseconds_give_one_frame(
    run: Callable[..., tuple[int, str, str]], workdir: Path, model: Path
) -> None:
    write_speech(workdir / "short.wav", 0.03)
    status, out, err = run("animate", "short.wav", "--model", model, "-o", "a.mp4", "-q")
    assert (status, out) == (0, "a.mp4\n"), err
    assert frames_of(workdir / "a.mp4")[0] == 1


def test_silence_is_valid(run: Callable[..., tuple[int, str, str]], workdir: Path, model: Path) -> None:
    soundfile.write(workdir / "silence.wav", np.zeros(RATE // 2), RATE)
    status, out, err = run("animate", "silence.wav", "--model", model, "-o", "a.mp4", "-q")
    assert (status, out) == (0, "a.mp4\n"), err
    assert frames_of(workdir / "a.mp4")[0] == 13


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
    import torch

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


# Plugins


def test_check_prints_a_line_for_each_check_and_its_status_says_if_all_passed(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = run("plugins", "check", "audio-encoders", "--level", "1")
    assert status == 0
    assert out.startswith("audio_encoder:log-mel\n    ok         1  spec-is-registered\n") and " 2  " not in out
    from headmotion.audio_encoders.log_mel import LogMel

    monkeypatch.setattr(LogMel, "forward", lambda self, wave, steps=None: wave)
    status, out, _ = run("plugins", "check", "audio-encoders")
    assert status == 1
    assert "    FAILED     1  encoder-output-shape\n        found    AssertionError: with batch=1, " in out


def test_check_takes_specs_of_types_with_required_fields(
    run: Callable[..., tuple[int, str, str]], mistake: Callable[..., str]
) -> None:
    status, out, _ = run("plugins", "check", "representations", "--level", "1")
    assert status == 0 and "required fields without a default: names, parents, offsets; pass a spec" in out
    arm = {"type": "joint-positions", "names": ["shoulder", "left_elbow", "right_elbow"], "parents": [-1, 0, 0]}
    status, out, _ = run("plugins", "check", "representations", "--level", "1", "--spec", json.dumps(arm))
    section = out.split("representation:joint-positions\n")[1].split("\n\n")[0]
    assert status == 0 and "ok         1  representation-is-consistent" in section
    assert "expected a type, or JSON such as" in mistake("plugins", "check", "losses", "--spec", '{"weight": 2}')
    assert "offers no type 'mfcc'" in mistake("plugins", "check", "losses", "--spec", '{"type": "mfcc"}')
    ambiguous = mistake("plugins", "check", "ms-sync", "--spec", '{"type": "ms-sync"}')
    assert '"kind", one of generator, syncer, discriminator' in ambiguous
    assert "expected no field 'x'" in mistake("plugins", "check", "losses", "--spec", '{"type": "sync", "x": 1}')


BROKEN = {
    "raises": "raise RuntimeError('out of order')",
    "misspelt": "import headmotion\n@headmotion.hookimpl\ndef headmotion_spec():\n    return []",
    "thief": (
        "from typing import Literal\nimport headmotion\n"
        "class Spec(headmotion.LossSpec):\n    type: Literal['ms-sync'] = 'ms-sync'\n"
        "    def build(self, context): ...\n"
        "@headmotion.hookimpl\ndef headmotion_specs():\n    return [Spec]"
    ),
}


def test_broken_plugins_break_nothing_else(workdir: Path, model: Path) -> None:
    site = workdir / "site"
    for name, code in BROKEN.items():
        info = site / f"headmotion_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: headmotion-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[headmotion]\n{name} = headmotion_{name}\n")
        (site / f"headmotion_{name}.py").write_text(code)
    write_speech(workdir / "s.wav", 0.2)
    listed = command("plugins", folder=workdir, PYTHONPATH=str(site))
    assert listed.returncode == 0 and "generator:ms-sync" in listed.stdout, listed.stderr
    for name, reason in {"raises": "out of order", "misspelt": "headmotion_specs", "thief": "thief/"}.items():
        assert f"{name}  headmotion-{name} 1.0  error\n" in listed.stdout
        assert reason in listed.stdout
    done = command("animate", "s.wav", "--model", model, "-o", "a.mp4", folder=workdir, PYTHONPATH=str(site))
    assert (done.returncode, done.stdout) == (0, "a.mp4\n"), done.stderr


def test_animate_takes_several_files_and_tables(
    workdir: Path, model: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    folder = workdir / "several"
    folder.mkdir()
    for name in ("a.wav", "b.wav"):
        write_speech(folder / name, 0.4)
    (folder / "bad.wav").write_bytes(b"no audio")
    arguments = ("--model", model, "--workers", 0, "-q")
    status, out, err = run("animate", folder, "-o", "motions", "--format", "npz", *arguments)
    assert (status, out.split()) == (1, ["motions/report.csv"]), err
    assert err.splitlines()[0] == "2 done, 1 failed" and "bad.wav" in err.splitlines()[1]
    status, _, err = run("animate", folder / "[ab].wav", "-o", "motions", "--format", "npz", *arguments)
    assert status == 0 and err.splitlines() == ["2 kept"]
    table = "audio,output,options\na.wav,x/a.mp4,size=64\nb.wav,,seed=4\na.wav,a.csv,\n"
    (folder / "jobs.csv").write_text(table)
    status, out, err = run("animate", "--jobs", folder / "jobs.csv", "--format", "json", *arguments)
    assert status == 0 and err.splitlines() == ["3 done"], err
    assert (folder / "a.csv").read_text().startswith("time,")
    assert Path(out.strip()) == folder / "jobs-report.csv"
    assert (folder / "x/a.mp4").exists() and len(hm.Motion.load(folder / "b.json"))
    (folder / "jobs.csv").write_text(table + "c.wav,,\n")
    status, out, err = run("animate", "--jobs", folder / "jobs.csv", "--format", "json", *arguments)
    assert (status, out.split()) == (1, [str(folder / "jobs-report.csv")])
    assert err.splitlines() == ["3 kept, 1 failed", err.splitlines()[1]] and "audio: expected an existing" in err
    (folder / "jobs.csv").write_text(table + "c.wav,,seeed=4\n")
    status, _, err = run("animate", "--jobs", folder / "jobs.csv", *arguments)
    assert status == 2 and "row 5, options: " in err and len(err.splitlines()) == 1


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


def test_one_motion_in_several_files(workdir: Path, run: Callable[..., tuple[int, str, str]], model: Path) -> None:
    write_speech(workdir / "s.wav", 0.4)
    outputs = ("a.mp4", "a.npz", "a.csv", "pictures")
    status, out, err = run("animate", "s.wav", "--model", model, *(part for name in outputs for part in ("-o", name)))
    assert (status, out.splitlines()) == (0, list(outputs)), err
    motion = hm.Motion.load(workdir / "a.npz")
    assert len(motion) == len(list((workdir / "pictures").glob("*.png"))) == frames_of(workdir / "a.mp4")[0] == 10
    assert (workdir / "a.csv").read_text().count("\n") >= 10


def test_text_is_spoken_and_animated(workdir: Path, run: Callable[..., tuple[int, str, str]], model: Path) -> None:
    pytest.importorskip("espeakng_loader", reason="needs the extra espeak")
    files = ("-o", "hi.wav", "-o", "hi.npz", "--phonemes", "hi.csv")
    status, _, err = run("say", "Good morning", *files, "--model", model)
    assert status == 0, err
    frames, rate = soundfile.info(workdir / "hi.wav").frames, soundfile.info(workdir / "hi.wav").samplerate
    assert len(hm.Motion.load(workdir / "hi.npz")) == round(frames / rate * 25)
    head, *phonemes = (workdir / "hi.csv").read_text("utf-8").splitlines()
    assert head == "phoneme,start_s,onset_s,end_s"
    assert float(phonemes[-1].rpartition(",")[2]) == pytest.approx(frames / rate)
    for text, output in (("", "none.wav"), ("  ", "none.mp4")):
        status, _, err = run("say", text, "-o", output)
        assert status == 2 and "nothing to say" in err and not (workdir / output).exists()
    status, _, err = run("say", "Good morning", "-o", "hi.wav", "-o", "hi.wav")
    assert status == 2 and "names a file twice" in err
    status, _, err = run("say", "Good morning", "-o", "hi.wav", "--voice", "xx")
    assert status == 2 and "the voice xx" in err and err.count("\n") == 1


def test_a_face_is_detected(
    workdir: Path, run: Callable[..., tuple[int, str, str]], mistake: Callable[..., str]
) -> None:
    assets = Path(hm.__file__).parent / "assets"
    status, _, err = run("detect", assets / "portrait.png", "-o", "face.npz")
    assert status == 0, err
    with np.load(assets / "portrait_landmarks.npz") as bundled:
        assert (
            np.abs(np.asarray(hm.Motion.load(workdir / "face.npz").values[0]) - bundled["landmarks"][:, :2]).mean() < 6
        )
    write_speech(workdir / "s.wav", 0.2)
    assert "a picture or a video" in mistake("detect", "s.wav", "-o", "x.npz")
    assert "x.mp3" in mistake("detect", assets / "portrait.png", "-o", "x.mp3")


@pytest.mark.parametrize(
    "words", [["synthesize"], ["evaluate", "ms-sync", "--data", "corpus"]], ids=lambda words: words[0]
)
def test_the_root_of_all_folders_is_no_output(mistake: Callable[..., str], workdir: Path, words: list[str]) -> None:
    (workdir / "corpus").mkdir()
    (workdir / "corpus" / "index.csv").touch()
    assert "'/' is the root of all folders; name one in it" in mistake(*words, "-o", "/")
