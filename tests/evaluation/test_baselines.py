"""Baselines on clips with known motion and speech."""

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
from headmotion.evaluation.baselines.context import BaselineContext
from headmotion.evaluation.baselines.energy_mouth import level_db
from headmotion.evaluation.eval_clip import EvalClip
from headmotion.evaluation.eval_split import EvalSplit, open_split
from headmotion.metrics.mouth_opening import opening_curve
from headmotion.representations.specs import KeypointsSpec, Landmarks68Spec

FACE = Landmarks68Spec().build()
RATE = 16_000


def clip(name: str, split: str, hertz: float, lift: float, size: float = 100.0, frames: int = 40) -> Clip:
    """A tone, and a face of some size that is lifted by a part of its own unit square from the second frame on."""
    neutral = size * FACE.neutral().numpy()
    side = FACE.frame_of(torch.from_numpy(neutral)).side
    values = np.repeat(neutral[None], frames, axis=0)
    values[1:, :, 1] -= lift * side
    time = np.arange(640 * frames) / RATE
    speech = 0.3 * np.sin(2 * np.pi * hertz * time) * (1.1 + np.sin(2 * np.pi * 2 * time)) / 2.1
    return Clip(name, name, split, values.astype(np.float32), speech.astype(np.float32))


def split_of(folder: Path, *written: Clip, split: str = "val", representation: Representation = FACE) -> EvalSplit:
    return open_split(write_corpus(folder / "corpus", written), representation, split)


def lifts(evaluated: EvalClip, name: str, test_split: EvalSplit) -> np.ndarray:
    """How far the face is lifted in each frame, in sides of its unit square."""
    (baseline,), left_out = make_baselines([name], BaselineContext(test_split))
    assert not left_out
    motion = baseline.motion(evaluated)
    assert len(motion) == len(evaluated.real) and motion.fps == evaluated.real.fps
    return ((evaluated.reference[:, 1].mean() - motion.values[..., 1].mean(dim=1)) / evaluated.unit_square.side).numpy()


def test_mean_and_nearest_motion_are_applied_to_another_face(tmp_path: Path) -> None:
    test_split = split_of(
        tmp_path,
        clip("low", "train", 300, 0.1),
        clip("high", "train", 2500, 0.3, size=50),
        clip("short", "train", 2400, 0.8, frames=20),
        clip("asked", "val", 2400, 0.0, size=200),
    )
    evaluated = test_split[0]
    mean = lifts(evaluated, "mean-motion", test_split)
    assert [mean[0], mean[1], mean[30]] == pytest.approx([0, (0.1 + 0.3 + 0.8) / 3, (0.1 + 0.3) / 2], abs=1e-4)
    # The short clip is nearer, but too short.
    assert lifts(evaluated, "nearest-audio", test_split)[5:] == pytest.approx(np.full(35, 0.3), abs=1e-4)
    assert set(lifts(evaluated, "static", test_split)) == {0.0}


def test_without_a_training_split_the_evaluated_one_is_used_but_never_the_clip_itself(tmp_path: Path) -> None:
    test_split = split_of(tmp_path, clip("a", "test", 300, 0.1), clip("b", "test", 300, 0.4), split="test")
    assert test_split.training_split == "test"
    assert lifts(test_split[0], "nearest-audio", test_split)[-1] == pytest.approx(0.4, abs=1e-4)
    (baseline,), _ = make_baselines(["nearest-audio"], BaselineContext(test_split))
    assert baseline.protocol["split"] == "test"


def test_the_mouth_opens_as_far_as_it_is_loud(tmp_path: Path) -> None:
    test_split = split_of(tmp_path, clip("a", "val", 300, 0.0))
    (baseline,), _ = make_baselines(["energy-mouth"], BaselineContext(test_split))
    evaluated = test_split[0]
    opening = opening_curve(FACE, baseline.motion(evaluated).values)
    level = level_db(evaluated.speech, 40)
    reference = [
        10 * np.log10((evaluated.speech[640 * k : 640 * k + 640].astype(float) ** 2).mean() + 1e-8) for k in range(40)
    ]
    np.testing.assert_allclose(level, reference, rtol=1e-6)
    # 0.005 distances of the eyes per dB, on top of the opening at rest.
    np.testing.assert_allclose(opening - opening.min(), 0.005 * (level - level.min()), atol=2e-3)
    still = [point for point in range(68) if point < 48]
    assert torch.equal(baseline.motion(evaluated).values[:, still], evaluated.real.values[:, still])


def test_silence_keeps_the_mouth_shut(tmp_path: Path) -> None:
    tone = clip("a", "val", 300, 0.0)
    test_split = split_of(tmp_path, replace(tone, audio=np.zeros_like(tone.audio)))
    (baseline,), _ = make_baselines(["energy-mouth"], BaselineContext(test_split))
    assert torch.equal(baseline.motion(test_split[0]).values, test_split[0].real.values)


def test_unavailable_baselines_are_left_out_with_the_reason(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(100, 20, (30, 5, 2)).astype(np.float32)
    keypoints = Clip("a", "a", "val", points, np.zeros(30 * 640, np.float32))
    test_split = split_of(tmp_path, keypoints, representation=KeypointsSpec(points=5).build())
    baselines, left_out = make_baselines(BASELINES, BaselineContext(test_split))
    assert [baseline.name for baseline in baselines] == ["ground-truth", "static", "mean-motion", "nearest-audio"]
    assert "a mouth that opens, got keypoints" in left_out["energy-mouth"]
    assert "a model, got a folder of motions" in left_out["shuffled-audio"]
