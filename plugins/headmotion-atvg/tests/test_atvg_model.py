"""The bundled model: speech and a photograph become a video."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

import headmotion as hm
from headmotion.cli import cli
from headmotion.core.plugins import registry
from headmotion.media.image import read_picture
from headmotion.training.recipe import RecipeSpec, load_recipe

ASSETS = Path(str(files("headmotion") / "assets"))


@pytest.fixture(scope="module")
def pipe() -> hm.Pipeline:
    return hm.load("atvg/grid", device="cpu")


def test_the_file_is_small_and_says_what_it_is(pipe: hm.Pipeline) -> None:
    assert registry().models["atvg/grid"].stat().st_size <= 10_000_000
    assert pipe.card["speakers"] == 2 and any("GRID" in source for source in pipe.card["sources"])
    result = CliRunner().invoke(cli, ["licenses"])
    assert "atvg/grid.safetensors" in result.output


def test_the_recipe_has_the_steps_losses_and_networks_of_the_file(pipe: hm.Pipeline) -> None:
    recipe, made = load_recipe("atvg/grid").model_dump(mode="json"), RecipeSpec.model_validate(pipe.card["recipe"])
    stored = made.model_dump(mode="json")
    assert list(recipe["phases"]) == pipe.card["phases"]
    for name, phase in recipe["phases"].items():
        assert phase == stored["phases"][name], name
    assert recipe["pipeline"]["renderer"] == pipe.spec.renderer.model_dump(mode="json")
    assert recipe["pipeline"]["generator"] == pipe.spec.generator.model_dump(mode="json")


def test_speech_and_a_photograph_become_a_video(tmp_path: Path) -> None:
    samples, rate = soundfile.read(ASSETS / "speech.flac", frames=8000)
    soundfile.write(tmp_path / "speech.wav", samples, rate)
    face, talk = ASSETS / "portrait.png", tmp_path / "talk.mp4"
    arguments = ["animate", str(tmp_path / "speech.wav"), "--image", str(face), "--model", "atvg/grid", "-o", str(talk)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert talk.stat().st_size > 1000


def test_the_mouth_opens_with_the_landmarks(pipe: hm.Pipeline) -> None:
    with np.load(ASSETS / "portrait_landmarks.npz") as stored:
        pose = stored["landmarks"][:, :2].astype(np.float32)
    values = np.repeat(pose[None], 3, axis=0)
    lower = [*range(55, 60), *range(65, 68)]
    values[1:, lower, 1] += 0.3 * np.ptp(pose[48:68, 0])
    motion = hm.Motion(torch.from_numpy(values), 25)
    still, *moved = pipe.iter_frames([motion], read_picture(ASSETS / "portrait.png"), pose)
    change = np.abs(moved[-1].astype(int) - still).mean(-1)
    # The face is cut out so that its mouth lies in the lower half.
    assert change[64:].mean() > 3 * change[:48].mean()
