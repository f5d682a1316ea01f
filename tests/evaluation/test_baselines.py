"""What baselines promise, on clips that are made for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headmotion.core.interfaces.representation import Representation
from headmotion.data.clip import Clip
from headmotion.data.corpus import write_corpus
from headmotion.evaluation.baselines import BASELINES, make_baselines
from headmotion.evaluation.baselines.context import Setting
from headmotion.evaluation.baselines.energy_mouth import level_db
from headmotion.evaluation.eval_clip import Case
from headmotion.evaluation.eval_split import Clips, open_clips
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.representations.specs import KeypointsSpec, Landmarks68Spec

FACE = Landmarks68Spec().build()
RATE = 16_000


def clip(name: str, split: str, hertz: float, lift: float, size: float = 100.0, frames: int = 40) -> Clip:
    """A tone, and a face of some size that is lifted by so much of its own unit frame from the second frame on."""
    rest = size * FACE.neutral().numpy()
    side = FACE.frame_of(torch.from_numpy(rest)).side
    values = np.repeat(rest[None], frames, axis=0)
    values[1:, :, 1] -= lift * side
    time = np.arange(640 * frames) / RATE
    speech = 0.3 * np.sin(2 * np.pi * hertz * time) * (1.1 + np.sin(2 * np.pi * 2 * time)) / 2.1
    return Clip(name, name, split, values.astype(np.float32), speech.astype(np.float32))


def clips(folder: Path, *made: Clip, split: str = "val", representation: Representation = FACE) -> Clips:
    return open_clips(write_corpus(folder / "corpus", made), representation, split)


def lifts(case: Case, name: str, of: Clips) -> np.ndarray:
    """By how much of its unit frame the face is lifted in each frame."""
    (baseline,), left_out = make_baselines([name], Setting(of))
    assert not left_out
    moved = baseline.motion(case)
    assert len(moved) == len(case.real) and moved.fps == case.real.fps
    return ((case.reference[:, 1].mean() - moved.values[..., 1].mean(dim=1)) / case.frame.side).numpy()


def test_the_mean_and_the_nearest_are_put_onto_another_face(tmp_path: Path) -> None:
    of = clips(
        tmp_path,
        clip("low", "train", 300, 0.1),
        clip("high", "train", 2500, 0.3, size=50),
        clip("short", "train", 2400, 0.8, frames=20),
        clip("asked", "val", 2400, 0.0, size=200),
    )
    case = of[0]
    mean = lifts(case, "mean-motion", of)
    assert [mean[0], mean[1], mean[30]] == pytest.approx([0, (0.1 + 0.3 + 0.8) / 3, (0.1 + 0.3) / 2], abs=1e-4)
    # The short clip is nearer, but does not last.
    assert lifts(case, "nearest-audio", of)[5:] == pytest.approx(np.full(35, 0.3), abs=1e-4)
    assert set(lifts(case, "static", of)) == {0.0}


def test_without_a_training_split_the_evaluated_one_teaches_and_no_clip_finds_itself(tmp_path: Path) -> None:
    of = clips(tmp_path, clip("a", "test", 300, 0.1), clip("b", "test", 300, 0.4), split="test")
    assert of.lesson_split == "test"
    assert lifts(of[0], "nearest-audio", of)[-1] == pytest.approx(0.4, abs=1e-4)
    (baseline,), _ = make_baselines(["nearest-audio"], Setting(of))
    assert baseline.protocol["split"] == "test"


def test_the_mouth_opens_as_far_as_it_is_loud(tmp_path: Path) -> None:
    of = clips(tmp_path, clip("a", "val", 300, 0.0))
    (baseline,), _ = make_baselines(["energy-mouth"], Setting(of))
    case = of[0]
    opening = opening_curve(FACE, baseline.motion(case).values)
    level = level_db(case.speech, 40)
    reference = [
        10 * np.log10((case.speech[640 * k : 640 * k + 640].astype(float) ** 2).mean() + 1e-8) for k in range(40)
    ]
    np.testing.assert_allclose(level, reference, rtol=1e-6)
    # 0.005 distances of the eyes per dB, on top of the opening at rest.
    np.testing.assert_allclose(opening - opening.min(), 0.005 * (level - level.min()), atol=2e-3)
    still = [point for point in range(68) if point < 48]
    assert torch.equal(baseline.motion(case).values[:, still], case.real.values[:, still])


def test_silence_keeps_the_mouth_shut(tmp_path: Path) -> None:
    made = clip("a", "val", 300, 0.0)
    of = clips(tmp_path, replace(made, audio=np.zeros_like(made.audio)))
    (baseline,), _ = make_baselines(["energy-mouth"], Setting(of))
    assert torch.equal(baseline.motion(of[0]).values, of[0].real.values)


def test_what_cannot_be_had_is_left_out_with_the_reason(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(100, 20, (30, 5, 2)).astype(np.float32)
    made = Clip("a", "a", "val", points, np.zeros(30 * 640, np.float32))
    of = clips(tmp_path, made, representation=KeypointsSpec(points=5).build())
    baselines, left_out = make_baselines(BASELINES, Setting(of))
    assert [each.name for each in baselines] == ["ground-truth", "static", "mean-motion", "nearest-audio"]
    assert "a mouth that opens, got keypoints" in left_out["energy-mouth"]
    assert "a model, got a folder of motions" in left_out["shuffled-audio"]
