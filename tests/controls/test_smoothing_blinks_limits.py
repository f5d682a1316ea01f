"""Smoothing, blinks and limits."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import FACES, mouth, talking

import headmotion as hm
from headmotion.controls.blinks import blink_times
from headmotion.controls.control import ControlContext
from headmotion.controls.head_pose import HeadModel
from headmotion.controls.limits import soft_limit
from headmotion.geometry.rotations import matrix_to_rotation_vector
from headmotion.representations.blendshapes import NAMES

# Smoothing


def test_smoothing_removes_jitter_and_keeps_slow_motion() -> None:
    fps = Fraction(50)
    motion = talking(frames=200, fps=fps)
    jitter = torch.from_numpy(np.random.default_rng(0).normal(0, 1, motion.values.shape)).float()
    smoothed = hm.controls.smooth(motion, 120).values
    smoothed_jitter = hm.controls.smooth(hm.Motion(motion.values + jitter, fps), 120).values
    assert (smoothed_jitter - smoothed).std() < 0.4
    assert (smoothed - motion.values).std() < 0.15 * (motion.values - motion.values.mean(0)).std()
    constant = hm.Motion(torch.ones(9, 68, 2), fps)
    torch.testing.assert_close(hm.controls.smooth(constant, 500).values, constant.values)


def test_smoothing_fits_any_representation() -> None:
    spec = {"type": "keypoints", "points": 10, "jacobians": True}
    motion = hm.Motion(torch.rand(30, 10, 6), Fraction(25), representation=spec)
    edited = hm.controls.smooth(motion, 100)
    expected = (motion.values[:-2] + 2 * motion.values[1:-1] + motion.values[2:]) / 4
    torch.testing.assert_close(hm.controls.smooth(motion, 80).values[1:-1], expected)
    assert edited.values.std() < motion.values.std()


# Blinks


@given(rate=st.floats(1, 60), seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_blinks_come_at_the_rate_and_never_overlap(rate: float, seed: int) -> None:
    times = list(itertools.takewhile(lambda t: t < 60 * 2000 / rate, blink_times(rate, seed)))
    assert 1850 < len(times) < 2150
    assert np.diff(times).min() > 0.31


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), Fraction(60)])
@pytest.mark.parametrize("face", FACES, ids=str)
def test_blinks_close_the_eyes_and_nothing_else(face: dict[str, Any], fps: Fraction) -> None:
    motion = talking(face, frames=int(60 * fps), fps=fps)
    edited = hm.controls.blink(motion, 20, seed=1)
    upper, lower = [37, 38, 43, 44], [41, 40, 47, 46]
    others = [point for point in range(68) if point not in upper]
    assert torch.equal(edited.values[:, others], motion.values[:, others])
    ratio = (edited.values[:, upper] - edited.values[:, lower]).norm(dim=-1)
    ratio = (ratio / (motion.values[:, upper] - motion.values[:, lower]).norm(dim=-1)).mean(1)
    shut = (ratio < 0.1).int()
    expected = [t for t in itertools.takewhile(lambda t: t < 59.8, blink_times(20, 1))]
    assert int((shut.diff() == 1).sum()) == len(expected) > 10
    assert (ratio > 0.999).float().mean() > 0.8
    assert not torch.equal(edited.values, hm.controls.blink(motion, 20, seed=2).values)


@pytest.mark.parametrize(
    "control", [hm.controls.blink(20, 1), hm.controls.blink_at_pauses(20, 1, (np.zeros(960_000), 16_000))]
)
def test_blinks_close_the_eyes_of_blend_shapes_and_nothing_else(control: Any) -> None:
    values = torch.full((1500, len(NAMES), 1), 0.3)
    values[:, NAMES.index("eyeBlinkLeft")] = 1.2
    motion = hm.Motion(values, 25, representation={"type": "blendshapes"}, units="unit")
    edited = control(motion).values[..., 0]
    lids = [NAMES.index("eyeBlinkLeft"), NAMES.index("eyeBlinkRight")]
    others = [name for name in range(len(NAMES)) if name not in lids]
    assert torch.equal(edited[:, others], values[:, others, 0]) and torch.equal(
        edited[:, lids[0]], values[:, lids[0], 0]
    )
    right = edited[:, lids[1]]
    assert 10 <= int(((right > 0.99).int().diff() == 1).sum()) <= 25 and right.max() == 1
    assert right.min() == np.float32(0.3) and (right == np.float32(0.3)).float().mean() > 0.8


def test_a_representation_without_lids_cannot_blink() -> None:
    motion = hm.Motion(torch.rand(30, 10, 2), 25, representation={"type": "keypoints", "points": 10})
    with pytest.raises(hm.MotionError, match="openings 'left_eye' and 'right_eye', or with the shapes eyeBlinkLeft"):
        hm.controls.blink(motion, 20)


# Limits


def test_limits_hold_and_are_reached_smoothly() -> None:
    limit = torch.tensor(3.0).double()
    values = torch.linspace(-20, 20, 4001).double()
    limited = soft_limit(values, limit)
    assert (limited.abs() <= limit).all() and torch.equal(limited[values.abs() <= 2], values[values.abs() <= 2])
    slope = limited.diff() / values.diff()
    assert slope.min() >= 0 and slope.max() < 1 + 1e-9 and slope.diff().abs().max() < 0.03


@pytest.mark.parametrize("face", FACES, ids=str)
def test_wild_motion_is_limited(face: dict[str, Any]) -> None:
    motion = hm.controls.scale_lips(talking(face, size=4), 6)
    edited = hm.controls.limit(motion)
    head = HeadModel(ControlContext.from_motion(motion), "test")

    def angles(values: torch.Tensor) -> torch.Tensor:
        return torch.rad2deg(matrix_to_rotation_vector(head.fit(values.double()).rotation)).abs().max(0).values

    bounds = torch.tensor([40.0, 65.0, 40.0]).double() + 1e-3
    assert (angles(motion.values) > bounds).any() and (angles(edited.values) <= bounds).all()
    home = hm.controls.scale_head(edited, 0)
    assert mouth(motion.values).max() > 0.7 and mouth(home.values).max() < 0.62


def test_lids_do_not_cross() -> None:
    motion = talking(size=0)
    motion.values[:, [37, 38], 1] = motion.values[:, [41, 40], 1] + 5
    motion.values[:, [43, 44], 1] -= 100
    edited = hm.controls.limit(motion).values
    assert (edited[:, [41, 40], 1] - edited[:, [37, 38], 1]).abs().max() < 1e-2
    width = edited[:, 45, 0] - edited[:, 36, 0]
    assert ((edited[:, [47, 46], 1] - edited[:, [43, 44], 1]) / width[:, None] < 0.2001).all()
