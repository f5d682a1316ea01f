"""Syncers that carry one number through, so that every distance can be worked out beside them."""

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
from headmotion.metrics import syncer_model as judges
from headmotion.metrics.specs import AVSyncSpec, FrechetSyncersSpec
from headmotion.sync.pyramid import Pyramid
from headmotion.sync.syncer_pyramid import Space, SyncerPyramid
from headmotion.sync.trained import TrainedSyncers

HOP = 160


def relative(values: Tensor) -> Tensor:
    return values - values.mean(1, keepdim=True)


class Carrying(Syncer):
    """What the first point does sideways against what is heard, three times a window."""

    window = 5

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def embed_audio(self, audio: Tensor) -> Tensor:
        return relative(audio[:, [2, 10, 18], 0])

    def embed_motion(self, motion: Tensor) -> Tensor:
        return relative(1000 * motion[:, [0, 2, 4], 0, 0])


class Sampled(AudioEncoder):
    """Every hop's first sample."""

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

    def made(
        levels: int = 1, space: Space = "free", given: BuildContext | None = None, **choices: object
    ) -> sync.AVSync:
        pyramid = SyncerPyramid([Carrying() for _ in range(levels)], Pyramid(levels, kernel=1))
        trained = TrainedSyncers(pyramid, FACE, Sampled(), 25.0, space)
        monkeypatch.setattr(judges, "load_syncers", lambda path: trained)
        return AVSyncSpec.model_validate({"syncers": str(path)} | choices).build(given or context(FACE))

    return made


def clip(frames: int, late: int = 0, seed: int = 0, fps: int = 25) -> MetricInput:
    """A point that moves at random by pixels, and a wave whose samples say the same numbers ``late`` frames later."""
    signal = np.random.default_rng(seed).uniform(0, 1, frames + 60)
    values = rest_of(FACE).repeat(frames, 1, 1)
    values[:, 0, 0] += torch.from_numpy(signal[30 : 30 + frames])
    values[0, 0, 0] = rest_of(FACE)[0, 0]  # the first pose fixes the frame
    speech = np.repeat(signal[30 - late : 30 - late + frames], 4 * HOP) / 2
    return clip_of(FACE, values, speech=speech, fps=fps)


@pytest.mark.parametrize("convention", ["valid-pairs", "syncnet"])
@pytest.mark.parametrize("late", [-6, 0, 3])
def test_it_finds_by_how_much_the_sound_is_late(late: int, convention: str, build: Build) -> None:
    metric = build(space="unit", convention=convention)
    told = metric.per_clip(metric.observe(clip(80, late)))
    assert told["level0_offset_frames"] == abs(late) and told["level0_offset_ms"] == 40 * abs(late)


def test_its_curve_is_that_of_the_embeddings(build: Build) -> None:
    metric, sound = build(), clip(40, 2)
    (curve,) = metric.observe(sound).values()
    box = FACE.frame_of(sound.generated.values[:1])
    moved = 1000 * FACE.normalize(sound.generated.values, box)[:, 0, 0].double().numpy()
    assert sound.audio is not None
    heard = sound.audio.read()[::HOP].astype(np.float64)
    windows = range(40 - 4)
    seen = np.array([[moved[i + k] for k in (0, 2, 4)] for i in windows])
    said = np.array([[heard[4 * i + k] for k in (2, 10, 18)] for i in windows])
    seen, said = (rows - rows.mean(axis=1, keepdims=True) for rows in (seen, said))
    expected = []
    for shift in range(-15, 16):
        pairs = [(i, i + shift) for i in windows if 0 <= i + shift < len(said)]
        expected.append(np.mean([np.linalg.norm(seen[i] - said[j]) for i, j in pairs]))
    np.testing.assert_allclose(curve.numpy(), expected, rtol=1e-4)


def test_figures_are_means_over_the_clips_that_have_a_level(build: Build) -> None:
    metric = build(levels=3)
    observed = [metric.observe(clip(frames, seed=frames)) for frames in (80, 60, 12)]
    figures = metric.figures(observed)
    each = [metric.per_clip(clip) for clip in observed]
    assert figures.values["level0_distance"] == pytest.approx(np.mean([told["level0_distance"] for told in each]))
    assert figures.values["level2_confidence"] == pytest.approx(
        np.mean([told["level2_confidence"] for told in each[:2]])
    )
    assert "level2_confidence" not in each[2]
    assert figures.notes == ("level2 leaves out 1 of 3 clips, shorter than 800 ms",)
    assert figures.values["lse_c"] == figures.values["level0_confidence"]
    assert figures.values["lse_d"] == figures.values["level0_distance"]
    assert isinstance(metric, PerClip) and metric.better.keys() >= figures.values.keys()


def test_many_clips_at_once_are_as_each_alone(build: Build) -> None:
    metric = build(levels=3)
    clips = [clip(frames, seed=seed) for seed, frames in enumerate((40, 25, 40, 9, 40))]
    for together, given in zip(metric.observe_batch(clips), clips, strict=True):
        alone = metric.observe(given)
        assert together.keys() == alone.keys()
        for name in alone:
            torch.testing.assert_close(together[name], alone[name], rtol=1e-5, atol=1e-5)


def test_plots_show_the_offset_that_is_found(build: Build) -> None:
    metric = build(levels=2, space="unit")
    assert isinstance(metric, SupportsPlots)
    observed = [metric.observe(clip(frames, late=4)) for frames in (80, 30)]
    (plot,) = metric.plots(observed).values()
    curve = plot.curves["level0, 40 ms"]
    assert len(curve.x) == len(curve.y) == 2 * 13 + 1, "the shorter clip has 26 windows"
    assert curve.x[int(np.argmin(curve.y))] == -160, "late is negative"
    assert plot.curves["level1, 80 ms"].x[0] == -80 * 5


def test_motion_at_another_rate_is_brought_to_that_of_the_syncers(build: Build) -> None:
    metric = build()
    given = clip(80)
    twice = given.generated.resample(Fraction(50))
    again = MetricInput("clip", twice, audio=given.audio)
    torch.testing.assert_close(metric.observe(again)["level0"], metric.observe(given)["level0"], rtol=1e-3, atol=1e-3)


def test_what_cannot_be_measured_is_said(build: Build) -> None:
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
        build(given=context(KEYPOINTS))
    assert build(given=context(SOLID_FACE)).observe(clip(9))


def test_what_syncers_see_is_compared_at_every_level(build: Build, tmp_path: Path) -> None:
    build(levels=3)
    metric = FrechetSyncersSpec(syncers=str(tmp_path / "syncers.safetensors"), durations=(40,)).build(context(FACE))
    moving = [clip(45, seed=k).generated for k in range(12)]
    observed = [metric.observe(MetricInput("clip", one, other)) for one, other in itertools.pairwise(moving)]
    frame = FACE.frame_of(moving[1].values[:1])
    poses = FACE.normalize(moving[1].values[:40], frame)[:, 0, 0].double() * 1000
    windows = np.array([[poses[i + k] for k in (0, 2, 4)] for i in range(36)])
    seen = observed[0]["level0_40f/real"].numpy()
    np.testing.assert_allclose(seen, windows - windows.mean(axis=1, keepdims=True), atol=1e-3)
    assert set(metric.figures(observed).values) == {"level0_40f", "level1_40f", "level2_40f"}
    assert metric.protocol["syncers_sha256"] == build().protocol["syncers_sha256"]


def test_silence_and_a_still_face_have_finite_figures(build: Build) -> None:
    metric = build(space="unit")
    still = clip_of(FACE, rest_of(FACE).repeat(30, 1, 1), speech=np.zeros(30 * 640))
    figures = metric.figures([metric.observe(still)]).values
    assert all(np.isfinite(list(figures.values()))) and figures["lse_c"] == pytest.approx(0, abs=1e-6)


def test_the_protocol_changes_with_whatever_changes_a_figure(build: Build, tmp_path: Path) -> None:
    metric = build()
    assert metric.protocol["syncers_sha256"] == hashlib.sha256(b"weights").hexdigest()
    others = [build(convention="syncnet"), build(reach=10), build(levels=2), build(space="unit")]
    assert len({str(each.protocol) for each in (metric, *others)}) == 5
    (tmp_path / "syncers.safetensors").write_bytes(b"other")
    assert build().protocol != metric.protocol
