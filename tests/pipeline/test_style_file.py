"""Styles that are files, for the command line and for many files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli.animate import animate
from headmotion.detectors import detect_motion as detection
from headmotion.pipeline.jobs_table import tasks_from_table
from headmotion.pipeline.style_file import is_style_file, read_style


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.load("causal-flow", device="cpu")


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("style") / "speech.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(48_000), 16_000, subtype="FLOAT")
    return path


def test_animate_takes_the_style_of_a_motion_file(pipe: hm.Pipeline, speech: Path, tmp_path: Path) -> None:
    lively = pipe.with_generator(head_amount=0.04).generate(speech, seed=7)
    clip, output = lively.save(tmp_path / "clip.npz"), tmp_path / "out.npz"
    command = [str(speech), "-o", str(output), "--style", str(clip), "--device", "cpu", "-q"]
    assert CliRunner().invoke(animate, command).exit_code == 0
    expected = pipe.generate(speech, style=hm.Motion.load(clip))
    assert torch.equal(hm.Motion.load(output).values, expected.values)


@pytest.mark.parametrize("name", ["missing.npz", "folder/missing.mp4"])
def test_a_file_that_is_missing_is_said(pipe: hm.Pipeline, name: str) -> None:
    with pytest.raises(hm.MotionError, match=f"style: expected an existing file, got '{name}'"):
        read_style(pipe, name)


def test_names_stay_names(pipe: hm.Pipeline) -> None:
    for name in ("calm", "x" * 5000, "a\0b"):
        assert read_style(pipe, name) == name and not is_style_file(name)
    assert read_style(pipe, None) is None


def test_a_table_names_styles_relative_to_itself(tmp_path: Path) -> None:
    (tmp_path / "clip.npz").write_bytes(b"")
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"")
    table = tmp_path / "jobs.csv"
    table.write_text("audio,output,options\na.wav,a.npz,style=clip.npz\nb.wav,b.npz,style=calm\n", "utf-8")
    styles = [task.options.style for task in tasks_from_table(table, tmp_path, ".npz", None, {})]
    assert styles == [str(tmp_path / "clip.npz"), "calm"]


def test_a_video_is_detected_in_the_models_representation(
    pipe: hm.Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked = tmp_path / "clip.mp4", []
    path.write_bytes(b"damaged")

    def detect_motion(*arguments: Any, **options: Any) -> str:
        asked.append((*arguments, options["fps"]))
        return "motion"

    monkeypatch.setattr(detection, "detect_motion", detect_motion)
    assert read_style(pipe, str(path)) == "motion"  # type: ignore[comparison-overlap]
    assert asked == [(path, pipe.representation.spec.model_dump(mode="json"), pipe.spec.detector, 25)]
