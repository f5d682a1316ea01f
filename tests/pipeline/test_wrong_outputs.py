"""A part that returns something wrong is one line that names it, in sessions, videos, training and evaluation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.core.built import checked_representation
from headmotion.core.interfaces.metric import MetricInput
from headmotion.core.outputs import checked_detections, checked_embeddings, checked_scores, checked_terms
from headmotion.evaluation.intervals import finite_values, values_by_clip
from headmotion.evaluation.observe import _observation_or_error
from headmotion.sync.syncer_pyramid import embed_pairs
from headmotion.training.take_step import take_step

SPEECH = (np.sin(np.arange(16_000) / 20).astype(np.float32), 16_000)
CPU = torch.device("cpu")


@pytest.fixture
def pipe() -> hm.Pipeline:
    return hm.load("ms-sync", device="cpu")


def loss(result: Any) -> dict[str, torch.Tensor]:
    part = hm.resolve_spec("loss", "spread").build(hm.load("ms-sync", device="cpu").context())
    return checked_terms(part, result, CPU)


@pytest.mark.parametrize(
    ("result", "got"),
    [
        (None, "got None"),
        (torch.zeros(()), r"got float32 \[\]"),
        ({"a": torch.zeros(3)}, r"'a' to return a scalar floating-point tensor, got float32 \[3\]"),
        ({"a": torch.zeros((), dtype=torch.int64)}, r"got int64 \[\]"),
        ({"a": 1}, "got int 1"),
        ({"a": torch.zeros((), dtype=torch.complex64)}, r"got complex64 \[\]"),
        ({"a": torch.zeros((), device="meta")}, r"a tensor on cpu, got float32 \[\] on meta"),
        ({1: torch.zeros(())}, "got int 1"),
    ],
)
def test_terms_of_a_loss(result: Any, got: str) -> None:
    with pytest.raises(hm.OutputError, match=f"^loss spread: expected forward.*{got}; correct the part") as caught:
        loss(result)
    assert "\n" not in str(caught.value)


def test_scores_of_a_discriminator(pipe: hm.Pipeline) -> None:
    part = hm.resolve_spec("discriminator", "ms-sync").build(pipe.context())
    for wrong in (None, {}, {"head": torch.zeros(2, 2)}, {"head": torch.zeros(2, dtype=torch.int32)}):
        with pytest.raises(hm.OutputError, match=r"^discriminator ms-sync: expected forward"):
            checked_scores(part, wrong, CPU)
    assert checked_scores(part, {"head": torch.zeros(2)}, CPU)


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda frames: frames * torch.nan, "finite frames, got NaN or infinity"),
        (lambda frames: frames[:, :, 1:], r"motion \[1, t, 68, 2\], got float32 \[1, .*, 67, 2\]"),
        (lambda frames: frames[0], r"motion \[1, t, 68, 2\], got float32 \[.*, 68, 2\]"),
        (lambda frames: None, "got None"),
    ],
)
def test_frames_of_a_generator(
    pipe: hm.Pipeline, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any], got: str
) -> None:
    step = pipe.generator.step

    def wrong(*inputs: Any) -> Any:
        frames, state = step(*inputs)
        return change(frames), state

    monkeypatch.setattr(pipe.generator, "step", wrong)
    with pytest.raises(hm.OutputError, match=f"^generator ms-sync: expected .*{got}"):
        pipe.generate(SPEECH)
    session = pipe.stream()
    with pytest.raises(hm.OutputError, match=f"^generator ms-sync: expected .*{got}"):
        session.push(SPEECH[0])
        session.flush()


def test_features_of_an_encoder(pipe: hm.Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    step = pipe.audio_encoder.step
    monkeypatch.setattr(pipe.audio_encoder, "step", lambda *inputs: (step(*inputs)[0][..., 1:], step(*inputs)[1]))
    with pytest.raises(hm.OutputError, match=r"^audio encoder log-mel: expected .*features \[1, a, 26\], got .*25\]"):
        pipe.generate(SPEECH)
    monkeypatch.setattr(pipe.audio_encoder, "step", lambda *inputs: (step(*inputs)[0][:, ::2], step(*inputs)[1]))
    with pytest.raises(
        hm.OutputError, match=r"^audio encoder log-mel: expected 98 steps after 16000 samples, got 49 steps"
    ):
        pipe.generate(SPEECH)


@pytest.mark.parametrize("wrong", [None, np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), "picture"])
def test_pictures_of_a_renderer(pipe: hm.Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: Any) -> None:
    motion = pipe.generate(SPEECH)
    monkeypatch.setattr(pipe.renderer, "frames", lambda *inputs: iter([wrong]))
    with pytest.raises(hm.OutputError, match=r"^renderer portrait: expected frames to return pictures uint8"):
        pipe.render(motion, tmp_path / "video.mp4", np.zeros((64, 64, 3), np.uint8), quiet=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_renderer_draws_each_frame_once(
    pipe: hm.Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    motion = pipe.generate(SPEECH)[:3]
    monkeypatch.setattr(pipe.renderer, "frames", lambda *inputs: iter([np.zeros((4, 4, 3), np.uint8)] * count))
    message = f"^renderer portrait: expected frames to return a picture for each of 3 frames, got {count} pictures"
    with pytest.raises(hm.OutputError, match=message):
        pipe.render([motion[:1], motion[1:]], tmp_path / "video.gif", np.zeros((64, 64, 3), np.uint8), quiet=True)
    assert not list(tmp_path.iterdir())


def test_values_of_a_metric(pipe: hm.Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    metric = hm.resolve_spec("metric", "lmd").build(pipe.context())
    motion = pipe.generate(SPEECH)
    clip = MetricInput("clip", motion, motion)
    good = metric.observe(clip)
    for wrong in (None, {"a": 1.0}, [1]):
        monkeypatch.setattr(metric, "observe", lambda clip, wrong=wrong: wrong)
        assert str(_observation_or_error(metric, clip)).startswith("metric lmd: expected observe")
    garbage: tuple[Any, ...] = (None, {"a": "large"}, 3)
    for wrong in garbage:
        monkeypatch.setattr(metric, "figures", lambda observed, wrong=wrong: wrong)
        with pytest.raises(hm.OutputError, match=r"^metric lmd: expected figures"):
            finite_values(metric, [good])
        monkeypatch.setattr(metric, "per_clip", lambda observed, wrong=wrong: wrong)
        with pytest.raises(hm.OutputError, match=r"^metric lmd: expected per_clip"):
            values_by_clip(metric, [good])


@pytest.mark.parametrize("returned", [None, torch.zeros(0), (torch.zeros(1, 4, 26),), [1, 2]])
@pytest.mark.parametrize("part", ["audio_encoder", "generator"])
def test_steps_of_a_stream(part: str, returned: Any, pipe: hm.Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getattr(pipe, part), "step", lambda *_: returned)
    name = part.replace("_", " ")
    with pytest.raises(hm.OutputError, match=rf"^{name} .*: expected step to return a pair of its output and its new"):
        pipe.stream().push(np.zeros(16_000, np.float32))


@pytest.mark.parametrize("returned", [None, torch.zeros(3), torch.zeros(2, 4), torch.zeros(3, 4, dtype=torch.int64)])
def test_embeddings_of_a_syncer(returned: Any, pipe: hm.Pipeline) -> None:
    part = hm.resolve_spec("loss", "spread").build(pipe.context())
    with pytest.raises(hm.OutputError, match=r"expected embed_audio to return embeddings \[3, E\], got "):
        checked_embeddings(part, returned, 3, "embed_audio")
    assert checked_embeddings(part, torch.zeros(3, 4), 3, "embed_audio").shape == (3, 4)


def test_embeddings_of_audio_and_motion_have_one_size(pipe: hm.Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    context = pipe.context()
    syncer = hm.resolve_spec("syncer", {"type": "ms-sync", "preset": "small"}).build(context)
    monkeypatch.setattr(syncer, "embed_motion", lambda windows: torch.zeros(len(windows), 8))
    monkeypatch.setattr(syncer, "embed_audio", lambda windows: torch.zeros(len(windows), 16))
    with pytest.raises(hm.OutputError, match=r"embeddings \[3, 8\], as of motion, got float32 \[3, 16\]"):
        embed_pairs(syncer, torch.zeros(3, 5, 68, 2), torch.zeros(3, 20, 26))


POSE = SimpleNamespace(pose=torch.zeros(68, 2))


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        [None],
        [[None]],
        [[SimpleNamespace(pose=None)]],
        [[SimpleNamespace(pose=torch.zeros(5))]],
        [[POSE]] * 2,
    ],
)
def test_detections(found: Any, pipe: hm.Pipeline) -> None:
    part = hm.resolve_spec("detector", "face-mesh").build(pipe.context())
    with pytest.raises(hm.OutputError, match=r"^detector face-mesh: expected detect to return "):
        checked_detections(part, found, 1)
    assert checked_detections(part, [[POSE]], 1, (68, 2)) == [[POSE]]
    with pytest.raises(hm.OutputError, match=r"poses \[68, 3\], got float32 \[68, 2\]"):
        checked_detections(part, [[POSE]], 1, (68, 3))


@pytest.mark.parametrize("method", ["neutral", "frame_of", "normalize", "denormalize"])
@pytest.mark.parametrize("returned", [None, 3, torch.zeros(1), torch.full((68, 2), float("nan"))])
def test_a_wrong_representation_is_not_built(
    method: str, returned: Any, pipe: hm.Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipe.representation, method, lambda *_: returned)
    with pytest.raises(hm.OutputError, match=rf"^representation landmarks68: expected {method} to return "):
        checked_representation(pipe.representation.spec, pipe.representation)


@pytest.mark.parametrize("returned", [None, 3.0, {"a": None}, {1: 2.0}, {"a": "b"}])
def test_values_of_a_step(returned: Any) -> None:
    phase: Any = SimpleNamespace(name="second", modules={}, steps=1, step=lambda number: returned)
    with pytest.raises(hm.OutputError, match=r"^phase second: expected step to return numbers by name, got "):
        take_step(phase, 0)


def test_a_part_that_raises_stop_iteration_does_not_end_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = hm.load("ms-sync", device="cpu")

    def step(*arguments: Any) -> Any:
        raise StopIteration

    monkeypatch.setattr(pipe.audio_encoder, "step", step)
    with pytest.raises(StopIteration):
        pipe.stream().push(SPEECH[0])
    with pytest.raises(RuntimeError, match="StopIteration"):
        pipe.generate(SPEECH)
