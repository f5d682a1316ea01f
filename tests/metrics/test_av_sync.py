"""AV sync over syncers that pass one number through, so that every distance can be computed by hand."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from moving import FACE, KEYPOINTS, SOLID_FACE, clip_of, context, rest_of
from torch import Tensor, nn

import headmotion as hm
from headmotion.core.interfaces.audio_encoder import AudioEncoder
from headmotion.core.interfaces.metric import MetricInput, PerClip, SupportsPlots
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.interfaces.syncer import Syncer
from headmotion.metrics import av_sync as sync
from headmotion.metrics import syncer_model
from headmotion.metrics.specs import AVSyncSpec, FrechetSyncersSpec
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.specs import Space
from headmotion.sync.syncer_pyramid import SyncerPyramid
from headmotion.sync.trained import TrainedSyncers

HOP = 160


def centered(values: Tensor) -> Tensor:
    return values - values.mean(1, keepdim=True)


class PassThroughSyncer(Syncer):
    """Embeds three samples of a window: x of the first point, and the first feature."""

    window = 5

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def embed_audio(self, audio: Tensor) -> Tensor:
        return centered(audio[:, [2, 10, 18], 0])

    def embed_motion(self, motion: Tensor) -> Tensor:
        return centered(1000 * motion[:, [0, 2, 4], 0, 0])


class FirstSampleEncoder(AudioEncoder):
    """Returns the first sample of every hop."""

    sample_rate, hop, channels = 16_000, HOP, 1

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def forward(self, wave: Tensor, steps: int | None = None) -> Tensor:
        return wave[:, ::HOP, None][:, :steps]

    def init_state(self, batch: int = 1) -> Tensor:
        raise NotImplementedError

    def step(self, wave: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError


Build = Callable[..., sync.AVSync]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """The metric over these syncers, whatever is in the file."""
    path = tmp_path / "syncers.safetensors"
    path.write_bytes(b"weights")

    def make(
        levels: int = 1, space: Space = "free", build_context: BuildContext | None = None, **choices: object
    ) -> sync.AVSync:
        pyramid = SyncerPyramid([PassThroughSyncer() for _ in range(levels)], Pyramid(levels, kernel=1))
        trained = TrainedSyncers(pyramid, FACE, FirstSampleEncoder(), 25.0, space)
        monkeypatch.setattr(syncer_model, "load_syncers", lambda path: trained)
        return AVSyncSpec.model_validate({"syncers": str(path)} | choices).build(build_context or context(FACE))

    return make


def clip(frames: int, late: int = 0, seed: int = 0, fps: int = 25) -> MetricInput:
    """A point with random motion in pixels, and a wave with the same numbers as samples, ``late`` frames later."""
    signal = np.random.default_rng(seed).uniform(0, 1, frames + 60)
    values = rest_of(FACE).repeat(frames, 1, 1)
    values[:, 0, 0] += torch.from_numpy(signal[30 : 30 + frames])
    values[0, 0, 0] = rest_of(FACE)[0, 0]  # the first pose fixes the frame
    speech = np.repeat(signal[30 - late : 30 - late + frames], 4 * HOP) / 2
    return clip_of(FACE, values, speech=speech, fps=fps)


@pytest.mark.parametrize("convention", ["valid-pairs", "syncnet"])
@pytest.mark.parametrize("late", [-6, 0, 3])
def test_the_offset_of_late_audio_is_detected(late: int, convention: str, build: Build) -> None:
    metric = build(space="unit", convention=convention)
    values = metric.per_clip(metric.observe(clip(80, late)))
    assert values["level0_offset_frames"] == abs(late) and values["level0_offset_ms"] == 40 * abs(late)


def test_the_curve_is_that_of_the_embeddings(build: Build) -> None:
    metric, sound = build(), clip(40, 2)
    (curve,) = metric.observe(sound).values()
    box = FACE.frame_of(sound.generated.values[:1])
    moved = 1000 * FACE.normalize(sound.generated.values, box)[:, 0, 0].double().numpy()
    assert sound.audio is not None
    samples = sound.audio.read()[::HOP].astype(np.float64)
    windows = range(40 - 4)
    of_motion = np.array([[moved[i + k] for k in (0, 2, 4)] for i in windows])
    of_audio = np.array([[samples[4 * i + k] for k in (2, 10, 18)] for i in windows])
    of_motion, of_audio = (rows - rows.mean(axis=1, keepdims=True) for rows in (of_motion, of_audio))
    expected = []
    for shift in range(-15, 16):
        pairs = [(i, i + shift) for i in windows if 0 <= i + shift < len(of_audio)]
        expected.append(np.mean([np.linalg.norm(of_motion[i] - of_audio[j]) for i, j in pairs]))
    np.testing.assert_allclose(curve.numpy(), expected, rtol=1e-4)


def test_values_are_means_over_the_clips_that_have_a_level(build: Build) -> None:
    metric = build(levels=3)
    observed = [metric.observe(clip(frames, seed=frames)) for frames in (80, 60, 12)]
    figures = metric.figures(observed)
    clip_values = [metric.per_clip(clip) for clip in observed]
    assert figures.values["level0_distance"] == pytest.approx(
        np.mean([values["level0_distance"] for values in clip_values])
    )
    assert figures.values["level2_confidence"] == pytest.approx(
        np.mean([values["level2_confidence"] for values in clip_values[:2]])
    )
    assert "level2_confidence" not in clip_values[2]
    assert figures.notes == ("level2 leaves out 1 of 3 clips, shorter than 800 ms",)
    assert figures.values["lse_c"] == figures.values["level0_confidence"]
    assert figures.values["lse_d"] == figures.values["level0_distance"]
    assert isinstance(metric, PerClip) and metric.better.keys() >= figures.values.keys()


def test_a_batch_gives_the_observations_of_single_clips(build: Build) -> None:
    metric = build(levels=3)
    clips = [clip(frames, seed=seed) for seed, frames in enumerate((40, 25, 40, 9, 40))]
    for batched, measured in zip(metric.observe_batch(clips), clips, strict=True):
        single = metric.observe(measured)
        assert batched.keys() == single.keys()
        for name in single:
            torch.testing.assert_close(batched[name], single[name], rtol=1e-5, atol=1e-5)


def test_plots_show_the_detected_offset(build: Build) -> None:
    metric = build(levels=2, space="unit")
    assert isinstance(metric, SupportsPlots)
    observed = [metric.observe(clip(frames, late=4)) for frames in (80, 30)]
    (plot,) = metric.plots(observed).values()
    curve = plot.curves["level0, 40 ms"]
    assert len(curve.x) == len(curve.y) == 2 * 13 + 1, "the shorter clip has 26 windows"
    assert curve.x[int(np.argmin(curve.y))] == -160, "late is negative"
    assert plot.curves["level1, 80 ms"].x[0] == -80 * 5


def test_motion_at_another_rate_is_resampled_to_that_of_the_syncers(build: Build) -> None:
    metric = build()
    original = clip(80)
    faster = original.generated.resample(Fraction(50))
    resampled = MetricInput("clip", faster, audio=original.audio)
    torch.testing.assert_close(
        metric.observe(resampled)["level0"], metric.observe(original)["level0"], rtol=1e-3, atol=1e-3
    )


def test_clips_that_cannot_be_measured_are_refused(build: Build) -> None:
    metric = build()
    with pytest.raises(hm.MotionError, match="audio of each clip"):
        metric.observe(clip_of(FACE, rest_of(FACE).repeat(9, 1, 1)))
    with pytest.raises(hm.MotionError, match="5 frames at 25 fps, got 4"):
        metric.observe(clip(4))
    broken = clip(20)
    broken.generated.values[3] = float("nan")
    with pytest.raises(hm.MotionError, match="finite"):
        metric.observe(broken)
    with pytest.raises(hm.SpecError, match="trained on landmarks68, 68"):
        build(build_context=context(KEYPOINTS))
    assert build(build_context=context(SOLID_FACE)).observe(clip(9))


def test_embeddings_of_syncers_are_compared_at_every_level(build: Build, tmp_path: Path) -> None:
    build(levels=3)
    metric = FrechetSyncersSpec(syncers=str(tmp_path / "syncers.safetensors"), durations=(40,)).build(context(FACE))
    moving = [clip(45, seed=k).generated for k in range(12)]
    observed = [metric.observe(MetricInput("clip", left, right)) for left, right in itertools.pairwise(moving)]
    frame = FACE.frame_of(moving[1].values[:1])
    poses = FACE.normalize(moving[1].values[:40], frame)[:, 0, 0].double() * 1000
    windows = np.array([[poses[i + k] for k in (0, 2, 4)] for i in range(36)])
    of_motion = observed[0]["level0_40f/real"].numpy()
    np.testing.assert_allclose(of_motion, windows - windows.mean(axis=1, keepdims=True), atol=1e-3)
    assert set(metric.figures(observed).values) == {"level0_40f", "level1_40f", "level2_40f"}
    assert metric.protocol["syncers_sha256"] == build().protocol["syncers_sha256"]


def test_silence_and_a_still_face_have_finite_values(build: Build) -> None:
    metric = build(space="unit")
    still = clip_of(FACE, rest_of(FACE).repeat(30, 1, 1), speech=np.zeros(30 * 640))
    figures = metric.figures([metric.observe(still)]).values
    assert all(np.isfinite(list(figures.values()))) and figures["lse_c"] == pytest.approx(0, abs=1e-6)


def test_the_protocol_changes_with_whatever_changes_a_value(build: Build, tmp_path: Path) -> None:
    metric = build()
    assert metric.protocol["syncers_sha256"] == hashlib.sha256(b"weights").hexdigest()
    others = [build(convention="syncnet"), build(reach=10), build(levels=2), build(space="unit")]
    assert len({str(other.protocol) for other in (metric, *others)}) == 5
    (tmp_path / "syncers.safetensors").write_bytes(b"other")
    assert build().protocol != metric.protocol
