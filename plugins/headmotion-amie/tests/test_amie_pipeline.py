"""Trainings and measurements with the plugin's parts: recipes, the file of an estimator, and mistakes of users."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.data.corpus import open_corpus
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.media.audio import Audio
from headmotion.testing import write_drawn_faces
from headmotion.training import train
from headmotion.training.recipe import load_recipe

FACE = hm.resolve_spec("representation", "landmarks68").build()
RENDERER = "{type: amie/generator, preset: small, size: 32, identity_widths: [4, 8, 8], image_widths: [4, 4, 4]}"
TINY = [f"pipeline.renderer={RENDERER}"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_faces(tmp_path_factory.mktemp("data") / "faces")


@pytest.fixture(scope="module")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    train("amie/smoke", [corpus], folder, device="cpu", overrides=TINY, quiet=True)
    return folder


def test_smoke_trains_every_part(run: Path) -> None:
    steps = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    names = {name for step in steps for name in step}
    assert {"gain", "information_loss", "objective_information_loss", "picture_l1", "d_pair", "g_pair"} <= names
    pipe = hm.load(run / "model.safetensors", device="cpu")
    # The last rate is in the model.
    assert float(pipe.renderer.attention.rate) == pytest.approx(0.2)


def test_the_model_draws_a_talking_face(run: Path) -> None:
    pipe = hm.load(run / "model.safetensors", device="cpu")
    pose = (0.4 * (FACE.neutral() - 0.5) * 96 + 48).numpy()
    speech = (np.sin(np.arange(3200) / 5).astype(np.float32), 16_000)
    picture = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    motion = pipe.generate(speech, reference=pose)
    frames = list(pipe.iter_frames([motion], picture, pose, audio=speech))
    assert len(frames) == 5 and {frame.shape for frame in frames} == {(32, 32, 3)}


def clip(corpus: Path, index: int, pictures: bool) -> hm.MetricInput:
    recorded = open_corpus(corpus)[index]
    values = torch.from_numpy(recorded.landmarks[..., :2].copy())
    motion = hm.Motion(values, Fraction(25))
    frames = torch.from_numpy(recorded.frames.read()) if pictures else None
    pair = None if frames is None else hm.PicturePair(frames, frames, values)
    return hm.MetricInput(recorded.id, motion, motion, Audio(torch.from_numpy(recorded.audio), 16_000), pictures=pair)


def test_the_metric_measures_pictures_with_the_file_of_a_phase(run: Path, corpus: Path) -> None:
    spec = {"type": "amie/estimator", "model": str(run / "estimator.safetensors"), "shifts": 6}
    metric = hm.resolve_spec("metric", spec).build(hm.BuildContext(FACE, 26))
    assert metric.needs == {"audio", "pictures"} and metric.protocol["track"] == "frames"
    observed = [metric.observe(clip(corpus, index, True)) for index in range(2)]
    values = metric.figures(observed).values
    assert set(values) == {"information", "information_in_time"}
    assert len(metric.plots(observed)["Information by shift"].curves["mean"].x) == 13
    with pytest.raises(hm.MotionError, match="pictures, generated and recorded, got none"):
        metric.observe(clip(corpus, 0, False))
    with pytest.raises(hm.CheckpointError, match=r"a file of a trained estimator, got .*another checkpoint"):
        hm.resolve_spec("metric", spec | {"model": str(run / "model.safetensors")}).build(hm.BuildContext(FACE, 26))


def test_the_bundled_estimator_measures_motion(corpus: Path) -> None:
    metric = hm.resolve_spec("metric", "amie/estimator").build(hm.BuildContext(FACE, 26))
    assert metric.needs == {"audio"}
    observed = metric.observe(clip(corpus, 0, False))
    assert observed["bounds"].shape == (31,)
    mesh = hm.resolve_spec("representation", "blendshapes").build()
    with pytest.raises(hm.SpecError, match="an estimator for blendshapes"):
        hm.resolve_spec("metric", "amie/estimator").build(hm.BuildContext(mesh, 26))


def test_data_that_does_not_fit_is_one_line(corpus: Path, tmp_path: Path) -> None:
    def refuse(expected: str, data: Path, *changes: str) -> None:
        with pytest.raises(hm.HeadmotionError, match=expected):
            train("amie/smoke", [data], tmp_path / "never", device="cpu", overrides=[*TINY, *changes], quiet=True)
        assert not (tmp_path / "never").exists()

    motion = write_synthetic(tmp_path / "motion", clips=2, seconds=1.0)
    refuse("a corpus with the track 'frames', which", motion)
    refuse("pictures of 64 x 64, which renderer amie/generator draws, got 32 x 32", corpus, "pipeline.renderer.size=64")
    refuse("9 audio channels or more, got 5 channels", corpus, "pipeline.audio_encoder.n_mfcc=5")


def test_recipes_are_whole() -> None:
    for name in ("small", "grid", "estimator-on-motion"):
        recipe = load_recipe(f"amie/{name}")
        assert recipe.name == f"amie-{name}" and recipe.phases


def test_an_estimator_guides_the_generator_of_another_system(tmp_path: Path) -> None:
    corpus = write_synthetic(tmp_path / "motion", clips=2, seconds=2.0)
    short = ["data.batch_size=2", *(f"phases.{name}.steps=1" for name in ("syncers", "estimator", "generator"))]
    short += ["phases.syncers.frames=40", "phases.syncers.group_size=4", "phases.syncers.windows_per_clip=2"]
    short += ["phases.estimator.frames=10", "phases.generator.frames=24"]
    run = tmp_path / "run"
    train("amie/estimator-on-motion", [corpus], run, device="cpu", overrides=short, quiet=True)
    last = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    assert {"sync", "information_loss"} <= set(last) and (run / "estimator.safetensors").exists()


@torch.no_grad()
def test_the_bundled_model_is_what_its_recipe_says() -> None:
    pipe, recipe = hm.load("amie/grid", device="cpu"), load_recipe("amie/grid").model_dump(mode="json")
    assert pipe.card["recipe"] == recipe and pipe.renderer.spec.attention.at_inference is False
    assert float(pipe.renderer.attention.rate) == pytest.approx(
        recipe["pipeline"]["renderer"]["attention"]["rates"][-1]
    )


@torch.no_grad()
def test_the_bundled_model_uses_speech() -> None:
    pipe = hm.load("amie/grid", device="cpu")
    assert pipe.card["speakers"] == 2 and pipe.renderer.training_picture_size == (128, 128)
    pose = FACE.neutral()[None]
    speech = pipe.audio_encoder(0.3 * torch.sin(torch.arange(7 * 640) / 5)[None])
    silence = pipe.audio_encoder(torch.zeros(1, 7 * 640))
    loud, quiet = (
        pipe.renderer.pictures(torch.full((1, 3, 128, 128), 0.5), pose, pose[:, None].expand(-1, 3, -1, -1), features)
        for features in (speech, silence)
    )
    assert float((loud["frames"] - quiet["frames"]).abs().max()) > 0.01
