"""What a new user meets first: how objects look when they are printed, and mistakes that are one clear line."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli import cli
from headmotion.data.corpus import Corpus
from headmotion.media.image import read_picture
from headmotion.testing import check_plugin

SILENCE = (np.zeros(3200, np.float32), 16_000)


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.build({"generator": {"type": "ms-sync", "preset": "small"}}, device="cpu")


def test_what_is_printed_is_one_short_line(pipe: hm.Pipeline) -> None:
    session, pool = pipe.stream(), pipe.pool()
    motion = session.push(SILENCE[0])
    pool.open()
    texts = list(map(repr, (pipe, motion, pipe.reference(None), session, pool, Corpus())))
    assert all("\n" not in text and len(text) < 140 for text in texts)
    assert texts[0] == str(pipe) == "<Pipeline: log-mel -> ms-sync -> landmarks68 -> skeleton, 25 fps, cpu>"
    assert texts[1] == f"<Motion: {len(motion)} frames at 25 fps, landmarks68 68 x 2, unit>"
    assert texts[2] == "<Reference: 1 poses 68 x 2, unit>"
    assert texts[3] == f"<Session: 16000 Hz, 25 fps, {len(motion)} frames so far>"
    assert texts[4].startswith("<Pool: 1 sessions of <Pipeline") and texts[5] == "<Corpus: 0 clips>"


def test_a_renderer_that_needs_a_picture_and_has_none_is_one_line(pipe: hm.Pipeline, tmp_path: Path) -> None:
    with pytest.raises(hm.ImageError, match="renderer portrait: expected a picture, got none; give image="):
        pipe.render(pipe.generate(SILENCE), tmp_path / "talk.gif", renderer="portrait", quiet=True)


def test_without_a_picture_lines_are_drawn_and_with_one_it_talks(pipe: hm.Pipeline, tmp_path: Path) -> None:
    portrait = hm.build({"renderer": "portrait", "generator": {"type": "ms-sync", "preset": "small"}}, device="cpu")
    landmarks = torch.from_numpy(20 + 80 * pipe.representation.neutral().numpy())
    motion = pipe.generate(SILENCE, landmarks)[:2]
    picture = np.full((120, 120, 3), 90, np.uint8)
    for each in (portrait, pipe):
        lines = each.render(motion, tmp_path / f"{each.renderer.spec.type_name()} lines", size=64, quiet=True)
        face = each.render(motion, tmp_path / f"{each.renderer.spec.type_name()} face", picture, quiet=True)
        assert [read_picture(folder / "000000.png").shape[0] for folder in (lines, face)] == [64, 120]


def test_render_takes_size_and_crop(pipe: hm.Pipeline, tmp_path: Path) -> None:
    landmarks = torch.from_numpy(100 + 200 * pipe.representation.neutral().numpy())
    motion = pipe.generate(SILENCE, landmarks)
    pipe.render(motion, tmp_path / "frames", size=64, quiet=True)
    assert read_picture(next((tmp_path / "frames").iterdir())).shape == (64, 64, 3)
    with pytest.raises(hm.SpecError, match="crop"):
        pipe.render(motion, tmp_path / "other", crop="head", quiet=True)


def test_sound_of_another_length_is_a_warning(
    pipe: hm.Pipeline, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    speech = (np.zeros(16_000, np.float32), 16_000)
    motion = pipe.generate(speech)
    with caplog.at_level(logging.WARNING):
        pipe.render(motion, tmp_path / "own.mp4", audio=speech, size=64, quiet=True)
        pipe.render(motion[:5], tmp_path / "silent.gif", audio=speech, size=64, quiet=True)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        pipe.render(motion[:5], tmp_path / "short.mp4", audio=speech, size=64, quiet=True)
        pipe.render(motion, tmp_path / "long.mp4", audio=(speech[0][:4000], 16_000), size=64, quiet=True)
    assert [record.message for record in caplog.records] == [
        "the sound has 1.00 s, the motion 0.20 s: the last picture stands still until the sound ends",
        "the sound has 0.25 s, the motion 1.00 s: the end of the video is silent",
    ]


def test_weights_move_no_picture() -> None:
    with pytest.raises(hm.SpecError, match="use a model of landmarks, such as 'causal-flow', to move a picture"):
        hm.build({"representation": "blendshapes", "renderer": "portrait", "generator": "causal-flow"}, device="cpu")


def test_samples_of_another_scale_are_a_warning_once(pipe: hm.Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    session = pipe.stream()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            session.push(np.full(640, 30.0, np.float32) * np.sin(np.arange(640, dtype=np.float32)))
    assert [record.message.partition("full scale")[2] for record in caplog.records].count(
        " is -1..1: divide by the full scale they have"
    ) == 1


@pytest.mark.parametrize(("samples", "got"), [(b"\0\0", "bytes"), ("speech.wav", "str"), (0.5, "a float")])
def test_what_is_no_array_of_samples_is_named(pipe: hm.Pipeline, samples: object, got: str) -> None:
    with pytest.raises(hm.AudioError, match=f", got {got}"):
        pipe.stream().push(samples)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_device_names_those_that_are_there() -> None:
    with pytest.raises(hm.HeadmotionError, match=r"expected a device of this machine: auto, cpu.*no cuda device here"):
        hm.build({}, device="cuda")


@pytest.mark.parametrize("fields", [{"size": "base"}, {"layers": 3}])
def test_another_whisper_needs_weights(fields: dict[str, object]) -> None:
    with pytest.raises(hm.SpecError, match="give weights, the path of a"):
        hm.resolve_spec("audio_encoder", {"type": "whisper", **fields})


def test_one_file_gives_a_motion_file(tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "speech.wav", 0.1 * np.sin(np.arange(4800) / 9), 16_000)
    target = tmp_path / "talk.npz"
    result = CliRunner().invoke(
        cli, ["animate", str(tmp_path / "speech.wav"), "-o", str(target), "--device", "cpu", "-q"]
    )
    assert result.exit_code == 0, result.output
    assert len(hm.Motion.load(target)) == 8


def test_a_check_that_checked_nothing_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    from headmotion.testing import plugin

    monkeypatch.setattr(plugin, "required_fields", lambda spec: ["weights"])
    results = check_plugin("audio-encoders", level=1)
    statuses = {result.status for each in results.values() for result in each}
    assert statuses == {"failed"} and "pass a spec with them" in plugin.report(results)
