"""The bundled model: speech and a photograph become a video, and units open its mouth."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner
from headmotion_au.facs import SPEECH_UNITS

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.plugins import registry
from headmotion.media.image import read_picture

ASSETS = Path(str(files("headmotion") / "assets"))
SECONDS, RATE = 0.4, 16_000
MOUTH = slice(74, 122), slice(35, 93)
"""Where the mouth and the chin are in pictures of 128 x 128."""


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.load("au/grid", device="cpu")


def draw(pipe: hm.Pipeline, **units: float) -> np.ndarray:
    """Return what is drawn of the bundled portrait with constant units and silence, ``[H, W, 3]``."""
    values = torch.tensor([units.get(name, 0.0) for name in SPEECH_UNITS])[None, :, None].expand(10, -1, -1).clone()
    neutral = torch.zeros(len(SPEECH_UNITS), 1)
    motion = hm.Motion(values, 25, pipe.representation.spec.model_dump(), hm.UnitSquare(0.5, 0.5, 1), reference=neutral)
    silence = np.zeros(round(SECONDS * RATE), np.float32), RATE
    frames = list(pipe.iter_frames([motion], read_picture(ASSETS / "portrait.png"), audio=silence))
    return frames[-1].astype(float)


def test_the_file_is_small_and_says_what_it_is(pipe: hm.Pipeline) -> None:
    assert registry().models["au/grid"].stat().st_size <= 10_000_000
    assert pipe.card["speakers"] == 2 and any("grid" in source.lower() for source in pipe.card["sources"])
    assert {"audio-to-au", "classifier", "images"} == set(pipe.card["recipe"]["phases"])
    assert "grid.safetensors" in CliRunner().invoke(cli, ["licenses"]).output


def test_speech_and_a_photograph_become_a_video(tmp_path: Path) -> None:
    samples, rate = soundfile.read(ASSETS / "speech.flac", frames=8000)
    soundfile.write(tmp_path / "speech.wav", samples, rate)
    face, talk = ASSETS / "portrait.png", tmp_path / "talk.mp4"
    arguments = ["animate", str(tmp_path / "speech.wav"), "--image", str(face), "--model", "au/grid", "-o", str(talk)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert talk.stat().st_size > 1000


def test_units_change_the_mouth_and_little_else(pipe: hm.Pipeline) -> None:
    change = np.abs(draw(pipe, AU25=0.6, AU26=0.6) - draw(pipe)).mean(-1)
    assert change[MOUTH].mean() > 3 * change[:60].mean()


@pytest.mark.parametrize("more", [0.3, 0.6])
def test_a_raised_unit_opens_the_mouth_more(pipe: hm.Pipeline, more: float) -> None:
    """The change that a higher AU26 makes has the direction of the change by which the mouth opens."""
    closed, opened = draw(pipe), draw(pipe, AU25=0.5, AU26=0.5)
    further = draw(pipe, AU25=0.5, AU26=0.5 + more)
    opening, effect = (opened - closed)[MOUTH], (further - opened)[MOUTH]
    assert np.abs(effect).mean() > 0.5  # of 255 levels
    assert np.corrcoef(opening.ravel(), effect.ravel())[0, 1] > 0.3
