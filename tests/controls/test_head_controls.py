"""Less and more head motion, none at all, and a head that looks in another direction."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import FACES, SKULL, mouth, skull_points, talking

import headmotion as hm
from headmotion.controls.control import ControlContext
from headmotion.controls.head_pose import HeadModel
from headmotion.geometry.rotations import matrix_to_rotation_vector


@pytest.mark.parametrize("face", FACES, ids=str)
def test_amount_zero_holds_the_head_still_while_the_lips_move(face: dict[str, Any]) -> None:
    motion, nodding = talking(face, size=0), talking(face)
    still = hm.controls.scale_head(nodding, 0.0)
    assert (skull_points(nodding.values) - skull_points(motion.values)).norm(dim=-1).max() > 30
    assert (skull_points(still.values) - skull_points(motion.values)).norm(dim=-1).max() < 1e-2
    torch.testing.assert_close(mouth(still.values), mouth(motion.values), atol=1e-3, rtol=0)
    # What was projected away cannot come back: a lip that moves in depth, too, is off by a little in two dimensions.
    assert (still.values - motion.values).norm(dim=-1).max() < (0.1 if face["dims"] == 3 else 3)


@given(amount=st.floats(0, 3))
@settings(max_examples=20)
def test_the_amount_scales_angle_size_and_shift(amount: float) -> None:
    motion = talking()
    head = HeadModel(ControlContext.from_motion(motion), "test")
    before = head.fit(motion.values.double())
    after = head.fit(hm.controls.scale_head(motion, amount).values.double())
    vectors = [matrix_to_rotation_vector(pose.rotation) for pose in (before, after)]
    torch.testing.assert_close(vectors[1], amount * vectors[0], atol=1e-3, rtol=0)
    torch.testing.assert_close(after.scale, before.scale**amount, atol=1e-3, rtol=0)
    home = head.resting_pose[SKULL].mean(0)
    torch.testing.assert_close(after.center - home, amount * (before.center - home), atol=1e-2, rtol=0)


@pytest.mark.parametrize("face", FACES, ids=str)
def test_hold_pose_is_exact(face: dict[str, Any]) -> None:
    motion = talking(face)
    held = hm.controls.hold_pose(motion)
    assert motion.reference is not None
    assert torch.equal(held.values[:, SKULL], motion.reference[SKULL].expand(len(motion), -1, -1))
    assert torch.equal(held.values[:, [0, 16]], motion.reference[[0, 16]].expand(len(motion), -1, -1))
    torch.testing.assert_close(mouth(held.values), mouth(talking(face, size=0).values), atol=1e-3, rtol=0)


@pytest.mark.parametrize("face", FACES, ids=str)
def test_looking_to_the_side_foreshortens(face: dict[str, Any]) -> None:
    motion = talking(face, size=0)
    right, up = hm.controls.look_at(motion, 30, 0).values, hm.controls.look_at(motion, 0, 20).values
    frontal = motion.values

    def eye(values: torch.Tensor, outer: int, inner: int) -> torch.Tensor:
        return (values[:, outer, 0] - values[:, inner, 0]).abs()

    # The nose leads, the face narrows, and the eye that turns away narrows more.
    assert ((right[:, 30, 0] - right[:, 27, 0]) > (frontal[:, 30, 0] - frontal[:, 27, 0]) + 5).all()
    assert ((right[:, 45, 0] - right[:, 36, 0]) < 0.95 * (frontal[:, 45, 0] - frontal[:, 36, 0])).all()
    shrunk = [eye(right, *pair) / eye(frontal, *pair) for pair in ((36, 39), (45, 42))]
    assert (shrunk[1] < shrunk[0] - 0.05).all()
    assert ((up[:, 30, 1] - up[:, 27, 1]) < (frontal[:, 30, 1] - frontal[:, 27, 1]) - 5).all()
    pose = HeadModel(ControlContext.from_motion(motion), "test").fit(right.double())
    angles = torch.rad2deg(matrix_to_rotation_vector(pose.rotation))
    torch.testing.assert_close(angles, torch.tensor([[0.0, -30.0, 0.0]]).double().expand(60, 3), atol=0.05, rtol=0)


def test_looking_to_the_side_retains_the_motion_of_the_head() -> None:
    motion = talking()
    turned = hm.controls.look_at(motion, 25, 5)
    back = hm.controls.scale_head(turned, 0)
    torch.testing.assert_close(back.values[:, SKULL], talking(size=0).values[:, SKULL], atol=1e-2, rtol=0)
    steps = [m.values[:, 30].diff(dim=0).norm(dim=-1).mean() for m in (motion, turned)]
    assert 0.7 < steps[1] / steps[0] < 1.4


def test_weights_have_no_head_that_turns() -> None:
    weights = hm.Motion(torch.zeros(4, 52, 1), 25, {"type": "blendshapes"}, reference=torch.zeros(52, 1))
    with pytest.raises(hm.MotionError, match="points with x and y"):
        hm.controls.scale_head(weights, 0.5)
