"""AT-net and VG-net in pipelines and trainings: streams, photographs, recipes, a kill, and mistakes of users."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from headmotion_atvg.specs import VGNetSpec

import headmotion as hm
from headmotion.core.checkpoint import read_header
from headmotion.data.corpus import open_corpus
from headmotion.data.pictures import encode_pictures
from headmotion.data.shard_writer import write_shards
from headmotion.data.synthetic.talking_faces import write_synthetic
from headmotion.renderers.picture_stream import crop_square
from headmotion.testing import write_drawn_faces
from headmotion.training import train
from headmotion.training.recipe import load_recipe
from headmotion.training.supervised_phase import SupervisedPhase

FACE = hm.resolve_spec("representation", "landmarks68").build()
AUDIO = {"type": "mfcc", "n_mfcc": 13, "lifter": 22}
PARTS = {
    "audio_encoder": AUDIO,
    "generator": {"type": "atvg/at-net", "preset": "small"},
    "renderer": {"type": "atvg/vg-net", "preset": "small", "size": 32},
}
SMALL = ["pipeline.renderer.size=32"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_faces(tmp_path_factory.mktemp("data") / "faces")


@pytest.fixture(scope="module")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    train("atvg/smoke", [corpus], folder, device="cpu", overrides=SMALL, quiet=True)
    return folder


@pytest.fixture(scope="module")
def pipe(run: Path) -> hm.Pipeline:
    return hm.load(run / "model.safetensors", device="cpu")


def speech(seconds: float) -> tuple[np.ndarray, int]:
    times = np.arange(round(16_000 * seconds)) / 16_000
    return (0.3 * np.sin(900 * times) * np.sin(11 * times)).astype(np.float32), 16_000


def test_smoke_fits_a_basis_and_trains_both_networks(run: Path, pipe: hm.Pipeline) -> None:
    steps = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    names = {name for step in steps for name in step}
    assert {"frames", "coefficients", "d_sequence", "d_landmarks", "g_sequence", "g_landmarks", "pixels"} <= names
    assert isinstance(pipe.generator, hm.SupportsFitting) and pipe.generator.fitted


class Killed(Exception):
    """Stands for a kill."""


def test_a_killed_run_resumes_to_the_same_bits(
    run: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uninterrupted = SupervisedPhase.step

    def step(self: Any, number: int) -> Mapping[str, float]:
        if number == 3:
            raise Killed
        return uninterrupted(self, number)

    with monkeypatch.context() as patched:
        patched.setattr(SupervisedPhase, "step", step)
        with pytest.raises(Killed):
            train("atvg/smoke", [corpus], tmp_path / "run", device="cpu", overrides=SMALL, quiet=True)
    model = train("atvg/smoke", [corpus], tmp_path / "run", device="cpu", overrides=SMALL, quiet=True, resume=True)
    assert read_header(model).sha256 == read_header(run / "model.safetensors").sha256


def test_speech_moves_the_face_of_the_reference_and_streams(pipe: hm.Pipeline) -> None:
    pose = 40 * FACE.neutral().numpy() + 10
    motion = pipe.generate(speech(1.0), reference=pose)
    assert motion.values.shape == (25, 68, 2)
    # The eyes stay where they are, up to what six coefficients move them.
    assert float((motion.values[:, 36:48] - torch.from_numpy(pose)[36:48]).abs().max()) < 2.0
    session = pipe.stream(reference=pose, sample_rate=16_000)
    parts = [session.push(block) for block in np.array_split(speech(1.0)[0], 9)]
    streamed = hm.Motion.concatenate([*parts, session.flush()])
    torch.testing.assert_close(streamed.values, motion.values, atol=1e-3, rtol=0)
    # The frame itself and three more, and a fifth in which the last analysis window of 25 ms ends.
    assert pipe.lookahead_ms() == 5 * 40


def test_one_frame_of_audio_gives_one_frame(pipe: hm.Pipeline) -> None:
    assert pipe.generate(speech(0.04)).values.shape == (1, 68, 2)


def test_gains_exaggerate(pipe: hm.Pipeline) -> None:
    spec = pipe.spec.model_dump(mode="json")
    spec["generator"]["gains"] = [1.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    louder = hm.build(spec, device="cpu")
    louder.load_state_dict(pipe.state_dict())
    plain, more = (part.generate(speech(0.4)).values for part in (pipe, louder))
    assert not torch.allclose(plain, more)
    spec["generator"]["gains"] = [1.0, 2.0]
    with pytest.raises(hm.SpecError, match="atvg/at-net: expected 6 gains, got 2"):
        hm.build(spec, device="cpu")


def photograph(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    pose = (FACE.neutral().numpy() - 0.5) * 0.8 * min(height, width) + (width / 2, height / 2)
    return rng.integers(0, 255, (height, width, 3), dtype=np.uint8), pose.astype(np.float32)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (300, 120), (32, 32)])
def test_photographs_of_any_shape_give_square_pictures(pipe: hm.Pipeline, height: int, width: int) -> None:
    image, pose = photograph(height, width)
    frames = list(pipe.iter_frames([pipe.generate(speech(0.2), reference=pose)], image, pose))
    assert {frame.shape for frame in frames} == {(32, 32, 3)} and len(frames) == 5


def test_the_square_of_a_photograph_follows_the_spec() -> None:
    image, pose = photograph(96, 96)
    drawn = []
    for side in (1.0, 0.5):
        torch.manual_seed(0)
        network = VGNetSpec(preset="small", size=32, crop_side=side).build(hm.BuildContext(FACE, 13)).eval()
        torch.nn.init.constant_(network.maps.bias[3:], -30.0)  # so that the still picture is copied
        drawn.append(next(iter(network.frames([hm.Motion(torch.from_numpy(pose)[None], 25)], image, pose))))
    whole = FACE.frame_of(torch.from_numpy(pose))
    for picture, side in zip(drawn, (whole.side, whole.side / 2), strict=True):
        expected = crop_square(image, hm.UnitSquare(whole.x, whole.y, side), (32, 32))
        assert np.abs(picture.astype(int) - expected).max() <= 1


def test_pictures_that_do_not_fit_are_one_line(pipe: hm.Pipeline) -> None:
    image, pose = photograph(64, 64)
    motion = pipe.generate(speech(0.2), reference=pose)
    with pytest.raises(hm.ImageError, match=r"expected an RGB picture \[H, W, 3\], got the shape \[64, 64\]"):
        list(pipe.renderer.frames([motion], image[..., 0], pose))
    with pytest.raises(hm.ImageError, match="a face inside the picture, got 68 of 68 points outside of 64 x 64"):
        list(pipe.renderer.frames([motion], image, pose + 100))
    with pytest.raises(hm.ImageError, match=r"RGB pictures \[B, 3, 32, 32\], got the shape \[1, 1, 32, 32\]"):
        pipe.renderer.pictures(torch.zeros(1, 1, 32, 32), FACE.neutral()[None], FACE.neutral()[None, None])


def test_a_generator_of_another_representation_is_one_line() -> None:
    with pytest.raises(hm.SpecError, match="expected motion of landmarks68 with 2 numbers per point, or of atvg/"):
        hm.build({"representation": "blendshapes", "audio_encoder": AUDIO, "generator": "atvg/at-net"})
    with pytest.raises(hm.SpecError, match="expected 7 audio channels or more after the first, got 5 channels"):
        hm.build({"audio_encoder": AUDIO | {"n_mfcc": 5}, "generator": "atvg/at-net"})
    parts = PARTS | {"representation": "atvg/landmark-pca"}
    with pytest.raises(hm.MotionError, match="renderer atvg/vg-net: expected points in the picture"):
        hm.build(parts)
    with pytest.raises(hm.MotionError, match="expected a fitted basis, got none yet"):
        hm.build(PARTS, device="cpu").generate(speech(0.2))


def test_data_that_does_not_fit_is_one_line(corpus: Path, tmp_path: Path) -> None:
    def refuse(expected: str, data: Path, *changes: str) -> None:
        with pytest.raises(hm.HeadmotionError, match=expected):
            train("atvg/smoke", [data], tmp_path / "never", device="cpu", overrides=[*SMALL, *changes], quiet=True)
        assert not (tmp_path / "never").exists()

    motion = write_synthetic(tmp_path / "motion", clips=2, seconds=1.0)
    refuse("a corpus with the track 'frames', which", motion)
    refuse("pictures of 64 x 64, which renderer atvg/vg-net draws, got 32 x 32", corpus, "pipeline.renderer.size=64")
    moved = (replace(clip, landmarks=clip.landmarks + 100) for clip in open_corpus(corpus))
    away = write_shards(tmp_path / "away", moved, representation={"type": "landmarks68"})
    with pytest.raises(hm.CorpusError, match="a face inside its pictures, got 68 of 68 points outside of 32 x 32"):
        train("atvg/smoke", [away], tmp_path / "away-run", device="cpu", overrides=SMALL, quiet=True)
    short = write_shards(
        tmp_path / "short",
        (
            replace(clip, landmarks=clip.landmarks[:3], audio=clip.audio[:1920], frames=None)
            for clip in open_corpus(corpus)
        ),
        representation={"type": "landmarks68"},
    )
    refuse("clips of at least 9 frames", short, "phases.vg-net.steps=0")
    others = write_shards(
        tmp_path / "others",
        (replace(clip, landmarks=clip.landmarks[:, :24], frames=None) for clip in open_corpus(corpus)),
        representation={"type": "keypoints", "points": 24},
    )
    refuse("landmarks", others, "phases.vg-net.steps=0")
    with pytest.raises(hm.CorpusError, match=r"frames: expected .* got uint8 \[32, 32\]"):
        encode_pictures([np.zeros((32, 32), np.uint8)])


def test_published_recipes_are_whole() -> None:
    for name in ("at-net", "vg-net", "joint", "grid"):
        recipe = load_recipe(f"atvg/{name}")
        assert recipe.name == f"atvg-{name}" and recipe.phases


def test_at_net_learns_coefficients_of_a_fitted_representation(corpus: Path, tmp_path: Path) -> None:
    short = [
        "pipeline.generator={type: atvg/at-net, preset: small}",
        "phases.at-net.steps=2",
        "phases.at-net.frames=8",
        "data.batch_size=2",
    ]
    pipe = hm.load(
        train("atvg/at-net", [corpus], tmp_path / "run", device="cpu", overrides=short, quiet=True), device="cpu"
    )
    motion = pipe.generate(speech(0.4))
    assert motion.values.shape == (10, 6, 1) and motion.to("landmarks68").values.shape == (10, 68, 2)
