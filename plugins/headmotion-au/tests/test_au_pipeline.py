"""Units, networks and pictures in pipelines and trainings: streams, photographs, controls, and mistakes of users."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from au_corpus import FACE, write_units
from headmotion_au.face_crop import cut_face
from headmotion_au.specs import ImageGeneratorSpec, UnitAccuracySpec

import headmotion as hm
from headmotion.controls import offset_weights
from headmotion.core.checkpoint import read_header
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.media.image import read_picture
from headmotion.training import train
from headmotion.training.recipe import load_recipe

SMALL = ["pipeline.renderer.size=32"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_units(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    train("au/smoke", [corpus], folder, device="cpu", overrides=SMALL, quiet=True)
    return folder


@pytest.fixture(scope="module")
def pipe(run: Path) -> hm.Pipeline:
    return hm.load(run / "model.safetensors", device="cpu")


def speech(seconds: float) -> tuple[np.ndarray, int]:
    times = np.arange(round(16_000 * seconds)) / 16_000
    return (0.3 * np.sin(900 * times) * np.sin(11 * times)).astype(np.float32), 16_000


STILL = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)


def test_smoke_trains_all_networks(run: Path) -> None:
    steps = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    phases = ("audio-to-au", "classifier", "images")
    audio, classifier, images = (
        {name for step in steps if step["phase"] == phase for name in step} for phase in phases
    )
    assert "units" in audio and "units" in classifier and {"d_frame", "g_frame", "picture_l1", "units"} <= images


def test_a_classifier_alone_is_a_file(run: Path, corpus: Path, tmp_path: Path) -> None:
    narrow = "phases.classifier.part={type: au/classifier, widths: [2, 2, 4, 4], blocks: 1}"
    short = [*SMALL, narrow, "phases.classifier.steps=2", "phases.classifier.frames=2", "data.batch_size=2"]
    path = train("au/classifier", [corpus], tmp_path / "run", device="cpu", overrides=short, quiet=True)
    assert path.name == "classifier.safetensors" and (run / "classifier.safetensors").exists()
    assert read_header(path).spec["part"]["widths"] == [2, 2, 4, 4]
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_speech_becomes_units_and_streams(pipe: hm.Pipeline) -> None:
    motion = pipe.generate(speech(1.0))
    assert motion.values.shape == (25, 5, 1) and motion.values.min() >= 0 and motion.values.max() <= 1
    session = pipe.stream(sample_rate=16_000)
    parts = [session.push(block) for block in np.array_split(speech(1.0)[0], 9)]
    streamed = hm.Motion.concatenate([*parts, session.flush()])
    torch.testing.assert_close(streamed.values, motion.values, atol=1e-5, rtol=0)
    # The frame itself and three more, and a fifth in which the last analysis window of 25 ms ends.
    assert pipe.lookahead_ms() == 5 * 40


def test_units_and_speech_become_pictures(pipe: hm.Pipeline) -> None:
    motion = pipe.generate(speech(0.4))
    frames = list(pipe.iter_frames([motion], STILL, audio=speech(0.4)))
    assert len(frames) == 10 and frames[0].shape == (32, 32, 3)
    with pytest.raises(hm.HeadmotionError, match="expected the speech, from which it draws, got none"):
        list(pipe.iter_frames([motion], STILL))


def test_controls_move_the_drawn_face_and_blend_shapes(pipe: hm.Pipeline) -> None:
    plain = pipe.generate(speech(0.4))
    wide = pipe.generate(speech(0.4), controls=[offset_weights({"AU26": 0.3})])
    jaw = plain.build_representation().point_names.index("AU26")
    assert torch.allclose(wide.values[:, jaw], (plain.values[:, jaw] + 0.3).clamp(max=1))
    drawn = [np.stack(list(pipe.iter_frames([motion], STILL, audio=speech(0.4)))) for motion in (plain, wide)]
    assert not np.array_equal(*drawn)
    shapes = wide.to("blendshapes")
    opened = shapes.build_representation().point_names.index("jawOpen")
    assert (shapes.values - plain.to("blendshapes").values)[:, opened].min() > 0.1


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    with as_file(files("headmotion") / "assets/portrait.png") as path:
        return read_picture(path)


def test_the_face_is_cut_out_of_a_photograph(portrait: np.ndarray) -> None:
    plain, near = (cut_face(ImageGeneratorSpec(crop_side=side), portrait) for side in (1.0, 0.5))
    assert plain.shape == near.shape == (128, 128, 3)
    # Half the square shows the middle of the whole, twice as large.
    middle = cv2.resize(plain[32:96, 32:96], (128, 128), interpolation=cv2.INTER_LINEAR)
    assert np.abs(middle.astype(float) - near).mean() < 6
    assert cut_face(ImageGeneratorSpec(), plain) is plain


def test_a_photograph_is_the_reference_by_way_of_blend_shapes(pipe: hm.Pipeline) -> None:
    with as_file(files("headmotion") / "assets/portrait.png") as path:
        reference = pipe.reference(path)
    assert reference.poses.shape == (1, 5, 1) and reference.poses.min() >= 0 and reference.poses.max() <= 1
    motion = pipe.generate(speech(0.2), reference)
    assert motion.units == "px" and torch.equal(motion.values, pipe.generate(speech(0.2)).values)


def test_pictures_that_do_not_fit_are_one_line(pipe: hm.Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    motion, audio = pipe.generate(speech(0.2)), speech(0.2)
    with caplog.at_level("WARNING", "headmotion"):
        assert len(list(pipe.iter_frames([motion], np.zeros((64, 96, 3), np.uint8), audio=audio))) == 5
    assert "no face was found in the picture, of which the middle is taken" in caplog.text
    with pytest.raises(hm.ImageError, match=r"an RGB picture \[H, W, 3\], got the shape \[64, 96\]"):
        list(pipe.renderer.frames([motion], np.zeros((64, 96), np.uint8), audio=iter([torch.zeros(1, 20, 13)])))
    with pytest.raises(hm.ImageError, match=r"RGB pictures \[B, 3, 32, 32\], got the shape \[1, 3, 64, 64\]"):
        units = motion.values[None]
        pipe.renderer.pictures(torch.zeros(1, 3, 64, 64), units[:, 0], units, torch.zeros(1, 52, 13))


def test_data_that_does_not_fit_is_one_line(corpus: Path, tmp_path: Path) -> None:
    def refuse(expected: str, data: Path, *changes: str) -> None:
        with pytest.raises(hm.HeadmotionError, match=expected):
            train("au/smoke", [data], tmp_path / "never", device="cpu", overrides=[*SMALL, *changes], quiet=True)
        assert not (tmp_path / "never").exists()

    landmarks = write_synthetic(tmp_path / "motion", clips=2, seconds=1.0)
    remedy = r"make a corpus of it: python -m headmotion_au CORPUS -o UNITS, from one of landmarks"
    refuse(rf"expected motion of au/action-units, \[T, 5, 1 or more\], got the shape .*; {remedy}", landmarks)
    refuse("pictures of 64 x 64, which renderer au/generator draws, got 32 x 32", corpus, "pipeline.renderer.size=64")
    refuse("action units, got landmarks68", corpus, "pipeline.representation.type=landmarks68")


def test_the_bundled_model_gives_units_and_features() -> None:
    pipe = hm.load("au/units", device="cpu")
    assert pipe.generate(speech(0.2)).values.shape == (5, 5, 1) and pipe.card["speakers"] == 2
    encoder = hm.resolve_spec("audio_encoder", "au/features").build(hm.BuildContext(FACE, 0))
    wave = torch.from_numpy(speech(0.2)[0])[None]
    assert encoder(wave).shape == (1, 20, 320)
    with torch.no_grad():
        units = encoder.networks.logits(encoder(wave)[:, ::4].unflatten(2, (5, 64))).sigmoid()
    # The stream encodes the silence behind the speech, where the generator pads with zeros.
    torch.testing.assert_close(units[:, :1], pipe.generate(speech(0.2)).values[None, :1, :, 0])


def test_published_recipes_are_whole() -> None:
    for name in ("audio-to-au", "classifier", "small", "grid"):
        recipe = load_recipe(f"au/{name}")
        assert recipe.name == f"au-{name}" and recipe.phases


def test_the_accuracy_of_units_in_pictures(portrait: np.ndarray) -> None:
    metric = UnitAccuracySpec(every=1).build(hm.BuildContext(FACE, 0))
    small = torch.from_numpy(portrait[::2, ::2].copy()).permute(2, 0, 1)[None]
    pair = hm.PicturePair(small, small, FACE.neutral()[None])
    motion = hm.Motion(FACE.neutral()[None], 25)
    observation = metric.observe(hm.MetricInput("clip", motion, pictures=pair))
    assert float(observation["found"]) == 1.0 and torch.equal(observation["drawn"], observation["real"])
    wave = torch.linspace(0, 6, 20).sin().abs()[:, None].expand(-1, 5)
    rising = {"found": torch.tensor(1.0), "real": 0.6 * wave, "drawn": 0.3 * wave}
    values = metric.figures([rising]).values
    assert values["correlation_all"] == pytest.approx(1.0) and 0.5 < values["f1_AU26"] < 1
    assert values["difference"] == pytest.approx(float(0.3 * wave.mean()))
    still = metric.figures([{**rising, "drawn": torch.zeros(20, 5)}]).values
    assert still["correlation_all"] == 0.0 and still["f1_all"] == 0.0
