"""What the published systems that draw pictures ask of phases: discriminators, classifiers and losses of pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import picture_parts
import pytest
import torch
from drawn_corpus import EDGE, FACE, FPS, curve, portrait, talking
from killed import killed_at
from safetensors.torch import load_file

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.core.component import device_of
from headmotion.data.clip import Clip, sample_count
from headmotion.data.corpus import open_corpus
from headmotion.data.pictures import encode_pictures
from headmotion.data.shard_writer import write_shards
from headmotion.media.image import read_picture
from headmotion.testing import installed_plugin, run_checks
from headmotion.training import train
from headmotion.training.adversarial_phase import AdversarialPhase
from headmotion.training.crops import Crop, Cropper
from headmotion.training.recipe import RecipeSpec
from headmotion.training.settings import DataSpec
from headmotion.training.supervised_phase import SupervisedPhase

SIZE = picture_parts.EDGE
GENERATOR = {"type": "ms-sync", "preset": "small", "hidden_size": 16, "pose_size": 16, "branch_size": 16}
PIXELS = {"type": "pixels", "l1": 10.0}
AGAINST = {
    "type": "adversarial",
    "trains": "renderer",
    "steps": 4,
    "frames": 4,
    "objective": "bce",
    "discriminator": "cinema/landmarks",
    "losses": [PIXELS],
    "optimizer": {"lr": 2e-3},
    "discriminator_optimizer": {"lr": 2e-3},
}
CLASSIFIER = {"type": "supervised", "trains": "classifier", "part": "cinema/classifier", "steps": 4, "frames": 4}
ENCODER = {
    "type": "supervised",
    "trains": "audio_encoder",
    "track": "labels",
    "distance": "none",
    "losses": ["cinema/presence"],
    "steps": 4,
    "frames": 4,
}
DRAWN = {"type": "supervised", "trains": "renderer", "distance": "none", "losses": [PIXELS], "steps": 4, "frames": 4}


@pytest.fixture(autouse=True, scope="module")
def plugin() -> Iterator[None]:
    with installed_plugin("cinema", "picture_parts"):
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures whose mouth is as bright as the speech is loud, with a label for each."""
    picture, pose = portrait()
    still = np.asarray(cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)

    def clip(number: int, frames: int = 16) -> Clip:
        rng = np.random.default_rng(number)
        loudness = (0.5 + curve(rng, frames, 1.3).numpy()).clip(0, 1)
        pictures = np.repeat(still[None], frames, axis=0)
        pictures[:, 20:26, 10:22] = (255 * loudness[:, None, None, None]).astype(np.uint8)
        noise = rng.normal(size=sample_count(frames, FPS))
        audio = (0.2 * np.repeat(loudness, sample_count(1, FPS)) * noise).clip(-1, 1).astype(np.float32)
        labels = np.stack([loudness > 0.5, loudness < 0.3], axis=1).astype(np.float32)
        return Clip(
            f"clip{number}",
            "eileen",
            "train",
            talking(pose, frames, number).values.numpy(),
            audio,
            FPS,
            frames=encode_pictures(pictures, quality=95),
            picture_box=(0.0, 0.0, float(EDGE)),
            labels=labels,
            label_names=("AU25", "AU12"),
        )

    spec = FACE.spec.model_dump(mode="json")
    return write_shards(tmp_path_factory.mktemp("data") / "cinema", map(clip, range(4)), representation=spec)


def recipe(phases: Mapping[str, Any], encoder: Any = "log-mel", **changes: Any) -> RecipeSpec:
    pipeline = {"renderer": "cinema/talker", "generator": GENERATOR, "audio_encoder": encoder}
    fields = {"name": "cinema", "pipeline": pipeline, "data": {"batch_size": 4}, "phases": dict(phases)}
    return RecipeSpec.model_validate(fields | {"save_every": 1, "preview_every": 0} | changes)


def trained_twice(spec: RecipeSpec, corpus: Path, folder: Path, cls: type[hm.Phase], at: int) -> list[dict[str, Any]]:
    """Train; train again with a kill in between, to the same bits; return the lines of the log."""
    train(spec, [corpus], folder / "whole", device="cpu", quiet=True)
    with killed_at(at, cls):
        train(spec, [corpus], folder / "run", device="cpu", quiet=True)
    model = train(spec, [corpus], folder / "run", device="cpu", quiet=True, resume=True)
    log = (folder / "run" / "log.jsonl").read_text()
    assert log == (folder / "whole" / "log.jsonl").read_text()
    assert read_header(model).sha256 == read_header(folder / "whole" / "model.safetensors").sha256
    return [json.loads(line) for line in log.splitlines()]


def moved(spec: RecipeSpec, model: Path, prefix: str) -> set[str]:
    """Return which weights of a part differ from those that the recipe begins with."""
    fresh, trained = hm.build(spec.pipeline, spec.seed, "cpu").state_dict(), load_file(model)
    return {name for name, value in trained.items() if name.startswith(prefix) and not torch.equal(value, fresh[name])}


def render(model: Path, folder: Path) -> np.ndarray[Any, Any]:
    """Draw a motion with speech."""
    pipe = hm.load(model, device="cpu")
    picture, pose = portrait()
    speech = hm.Audio(np.random.default_rng(0).normal(size=16_000).astype(np.float32) * 0.1, 16_000)
    pipe.render(talking(pose, 10, 9), folder, image=picture, landmarks=pose.numpy(), audio=speech, quiet=True)
    return np.stack([read_picture(path) for path in sorted(folder.glob("*.png"))])


def test_a_discriminator_of_pictures_that_also_finds_landmarks_trains_a_renderer(corpus: Path, tmp_path: Path) -> None:
    spec = recipe({"against": AGAINST})
    log = trained_twice(spec, corpus, tmp_path, AdversarialPhase, 2)
    assert {"d_picture", "d_landmarks", "d_gradient", "g_picture", "g_landmarks", "picture_l1"} <= log[0].keys()
    assert log[0]["d_gradient"] > 0 and log[0]["d_landmarks"] > log[-1]["d_landmarks"], "it learns"
    model = tmp_path / "run" / "model.safetensors"
    assert "renderer.sound.weight" in moved(spec, model, "renderer.")
    assert render(model, tmp_path / "frames").shape == (10, SIZE, SIZE, 3)


def test_a_renderer_with_speech_is_saved_loaded_and_draws(corpus: Path, tmp_path: Path) -> None:
    spec = recipe({"drawn": DRAWN})
    model = train(spec, [corpus], tmp_path / "run", device="cpu", quiet=True)
    copy = hm.load(model, device="cpu").save(tmp_path / "copy.safetensors")
    first, second = render(model, tmp_path / "first"), render(copy, tmp_path / "second")
    assert first.shape == (10, SIZE, SIZE, 3) and np.array_equal(first, second)


def test_a_classifier_of_recorded_pictures_guides_drawn_ones(corpus: Path, tmp_path: Path) -> None:
    later = AGAINST | {"losses": [PIXELS, "cinema/units"], "adversarial_weight": 0.002}
    spec = recipe({"classify": CLASSIFIER, "against": later})
    log = trained_twice(spec, corpus, tmp_path, AdversarialPhase, 2)
    assert [line["phase"] for line in log] == ["classify"] * 4 + ["against"] * 4
    assert "units" in log[0] and "units" in log[-1]


def test_an_audio_encoder_learns_labels_and_is_in_the_model(corpus: Path, tmp_path: Path) -> None:
    """Its dropout and its batch norm are off while the renderer, which uses its features, is trained."""
    spec = recipe({"encoder": ENCODER, "drawn": DRAWN}, encoder="cinema/label-encoder")
    log = trained_twice(spec, corpus, tmp_path, SupervisedPhase, 2)
    assert "presence" in log[0]
    model = tmp_path / "run" / "model.safetensors"
    finished = load_file(tmp_path / "run" / "finished" / "encoder.safetensors")
    stored = load_file(model)
    changed = moved(spec, model, "audio_encoder.")
    assert {"audio_encoder.last.1.weight", "audio_encoder.memory.weight_ih_l0"} <= changed
    for name, value in finished.items():
        if name.startswith("module/audio_encoder/"):
            assert torch.equal(stored[name.replace("module/audio_encoder/", "audio_encoder.")], value), name
    render(model, tmp_path / "frames")


def test_an_audio_encoder_rests_after_its_phase_also_in_a_resumed_run(corpus: Path, tmp_path: Path) -> None:
    spec = recipe({"encoder": ENCODER, "against": AGAINST}, encoder="cinema/label-encoder")
    trained_twice(spec, corpus, tmp_path, AdversarialPhase, 2)


def test_an_estimator_of_information_learns_on_recorded_pairs_and_guides(corpus: Path, tmp_path: Path) -> None:
    spec = recipe({"against": AGAINST | {"losses": [PIXELS, "cinema/information"], "adversarial_weight": 0.0}})
    log = trained_twice(spec, corpus, tmp_path, AdversarialPhase, 2)
    assert {"information", "objective_information", "objective_gradient"} <= log[0].keys()
    assert log[0]["objective_information"] != log[1]["objective_information"]


@pytest.mark.parametrize(("cls", "method"), [("Presence", "forward"), ("Classifier", "predictions")])
def test_what_returns_no_terms_is_named(
    cls: str, method: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getattr(picture_parts, cls), method, lambda *inputs: None)
    spec = recipe({"classify": CLASSIFIER, "against": AGAINST | {"losses": ["cinema/units"]}})
    if cls == "Presence":
        spec = recipe({"encoder": ENCODER}, encoder="cinema/label-encoder")
    with pytest.raises(hm.OutputError, match=f"cinema/{cls.lower()}: expected {method} to return"):
        train(spec, [corpus], tmp_path / "run", device="cpu", quiet=True)


def test_batches_are_where_the_weights_of_the_encoder_are() -> None:
    assert device_of(torch.nn.Linear(1, 1, device="meta")).type == "meta"
    assert device_of(torch.nn.BatchNorm1d(1, affine=False, device="meta")).type == "meta"
    assert device_of(torch.nn.Identity()).type == "cpu"


KIT = {
    "talker": ("renderer", picture_parts.TalkerSpec()),
    "landmarks": ("discriminator", picture_parts.LandmarkDiscriminatorSpec()),
    "classifier": ("discriminator", picture_parts.ClassifierSpec()),
    "information": ("loss", picture_parts.InformationSpec()),
    "presence": ("loss", picture_parts.PresenceSpec()),
    "units": ("loss", picture_parts.UnitsLossSpec()),  # with a classifier of the same plugin
}


@pytest.mark.parametrize("name", KIT)
def test_the_kit_knows_such_parts(name: str) -> None:
    failed = {result.check.name: result for result in run_checks(*KIT[name]) if result.status == "failed"}
    # In a package the specs have a module of their own.
    assert failed.keys() <= {"spec-imports-without-torch"}, failed


def test_colors_of_a_crop_change_alike(corpus: Path) -> None:
    def crop(jitter: float) -> Crop:
        spec = DataSpec(batch_size=2, color_jitter=jitter)
        context = hm.BuildContext(FACE, 13)
        cropper = Cropper(open_corpus(corpus), spec, context, 4, {"motion", "frames"}, 640, 0)
        return cropper.crop(0, 12, np.random.default_rng(1))

    plain, varied = crop(0.0), crop(0.4)
    assert plain.frames is not None and plain.identity is not None
    assert varied.frames is not None and varied.identity is not None
    assert not torch.equal(plain.frames, varied.frames)
    for channel in range(3):
        before = torch.cat([plain.frames[:, channel].flatten(), plain.identity[channel].flatten()])
        after = torch.cat([varied.frames[:, channel].flatten(), varied.identity[channel].flatten()])
        # One level becomes one other, in all pictures.
        assert len(torch.unique(torch.stack([before, after]), dim=1).T) == len(before.unique())
