"""A head turns the less, the further it is turned in the picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from headmotion.geometry.complex_points import ComplexPoints, as_complex
from headmotion.geometry.rigid_fit import fit_orthographic_pose
from headmotion.geometry.rotations import rotation_vector_to_matrix
from headmotion.renderers.portrait.openings import rigid_points
from headmotion.renderers.portrait.turn_limit import SolidFace
from headmotion.representations.specs import Landmarks68Spec

FACE = Landmarks68Spec().build()
MEAN = Landmarks68Spec(dims=3).build().neutral().double()
RIGID = rigid_points(FACE)


def seen(yaw: float) -> ComplexPoints:
    """The mean face of 180 pixels, turned about a vertical axis (degrees)."""
    rotation = rotation_vector_to_matrix(torch.tensor([0.0, np.radians(yaw), 0.0]).double())
    return as_complex(((MEAN - MEAN.mean(0)) @ rotation.T)[:, :2].numpy() * 180) + 160 * (1 + 1j)


def yaw_of(pose: ComplexPoints) -> float:
    points = torch.from_numpy(np.stack([pose.real, pose.imag], -1))[None, RIGID]
    rotation = fit_orthographic_pose(MEAN[RIGID], points).rotation[0]
    return float(torch.rad2deg(torch.atan2(rotation[0, 2], rotation[2, 2])))


def face_of(pose: ComplexPoints) -> SolidFace:
    return SolidFace.of(pose, RIGID, MEAN)


@pytest.mark.parametrize(("still", "moved"), [(0, 20), (0, -20), (25, 10), (40, 32), (60, 58)])
def test_turns_that_a_picture_shows_stay_to_the_last_bit(still: float, moved: float) -> None:
    pose = seen(moved)
    assert np.array_equal(face_of(seen(still)).limit_turn(pose), pose)


@pytest.mark.parametrize(("still", "most"), [(0, 37), (25, 27), (40, 16), (60, 5)])
@pytest.mark.parametrize("turn", [-50, 30])
def test_a_face_that_is_turned_turns_less(still: float, most: float, turn: float) -> None:
    limited = yaw_of(face_of(seen(still)).limit_turn(seen(still + turn)))
    assert 0.5 * min(most, abs(turn)) < abs(limited - still) <= most
    assert np.sign(limited - still) == np.sign(turn)


def test_the_limit_is_approached_smoothly() -> None:
    face = face_of(seen(40))
    yaws = np.array([yaw_of(face.limit_turn(seen(40 - turn))) for turn in np.linspace(0, 60, 121)])
    steps = -np.diff(yaws)
    assert (steps > -1e-6).all() and steps.max() < 0.51 and np.abs(np.diff(steps)).max() < 0.06


def test_expressions_are_kept() -> None:
    face, opened = face_of(seen(50)), seen(20)
    opened[55:60] += 9j
    change = face.limit_turn(opened) - face.limit_turn(seen(20))
    assert np.abs(change - (opened - seen(20))).max() < 1e-9


@pytest.mark.parametrize("make", [lambda: np.full(68, 3 + 4j), lambda: seen(0) * np.array(1e-9), lambda: seen(180)])
def test_poses_that_are_none_stay_finite(make: Callable[[], ComplexPoints]) -> None:
    for face, pose in ((face_of(seen(30)), make()), (face_of(make()), seen(30))):
        assert np.isfinite(face.limit_turn(pose)).all()
