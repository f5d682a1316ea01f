"""``headmotion demo``, ``animate`` and ``say``: what they make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from installed_command import RATE, command, frames_of, write_speech
from PIL import Image

import headmotion as hm
from headmotion.cli import demo
from headmotion.media.audio_container import ContainerSource
from headmotion.media.audio_file import SoundFileSource


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
