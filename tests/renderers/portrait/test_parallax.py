from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import headmotion as hm
from headmotion.core.interfaces.specs import BuildContext
from headmotion.geometry.complex_points import as_complex
from headmotion.geometry.smoothstep import smoothstep
from headmotion.renderers.portrait.box import Box
from headmotion.renderers.portrait.displacement_field import Grid
from headmotion.renderers.portrait.head_ellipse import (
    FADE,
    FADE_BELOW,
    HALF_HEIGHT,
    HALF_WIDTH,
    REACH,
    HeadEllipse,
)
from headmotion.renderers.portrait.parallax import HeadMotion, ParallaxModel
from headmotion.renderers.portrait.warp import Similarity, trace_back
from headmotion.renderers.specs import PortraitSpec
from headmotion.representations.specs import Landmarks68Spec

FACE = Landmarks68Spec().build()
SOLID = Landmarks68Spec(dims=3).build().neutral().double()
SIZE, SIDE, CORNER = 320, 180, torch.tensor([70.0, 70.0])
POSE = FACE.neutral() * SIDE + CORNER
PLANE = as_complex(POSE.numpy())
HEAD = HeadEllipse(PLANE, -1j)


def turned(yaw, pitch=0.0):
    """The mean face, turned about a vertical and a horizontal axis through its neck, seen from afar."""
    still = hm.Motion(POSE[None], Fraction(25), FACE.spec.model_dump(mode="json"), FACE.frame_of(POSE[None]))
    return hm.controls.look_at(still, yaw, pitch).values[0]


def back(yaw, pitch, points):
    return ParallaxModel(PLANE, HEAD, FACE).fit(as_complex(turned(yaw, pitch).numpy())).trace_back(points)


def test_no_turn_is_no_motion():
    points = Grid.covering(Box(0, 0, SIZE, SIZE), 5).nodes()
    assert np.abs(back(0, 0, points) - points).max() < 1e-2


def test_the_far_side_narrows_and_the_near_side_widens():
    middle, offset = HEAD.center, 0.45 * HEAD.face
    row = np.array([middle - offset, middle, middle + offset]).astype(np.complex64)
    left, nose, right = back(18, 0, row).real  # to the right of the picture
    assert right - nose > 1.12 * (nose - left)


def test_hair_moves_less_than_the_face():
    motion = ParallaxModel(PLANE, HEAD, FACE).fit(as_complex(turned(15).numpy()))
    crown = np.array([HEAD.center + HEAD.up * 0.98 * HEAD.face]).astype(np.complex64)
    front = np.array([HEAD.center]).astype(np.complex64)
    moved = (crown - motion.trace_back(crown)).real[0], (front - motion.trace_back(front)).real[0]
    assert 0 < moved[0] < 0.75 * moved[1]


def test_noise_of_landmarks_hardly_moves_the_hair_and_motion_does():
    crown = np.array([HEAD.center + HEAD.up * 0.98 * HEAD.face]).astype(np.complex64)
    model, rng = ParallaxModel(PLANE, HEAD, FACE), np.random.default_rng(0)
    trembling = PLANE + 0.005 * HEAD.face * (rng.normal(size=(50, 68)) + 1j * rng.normal(size=(50, 68)))
    moved = np.abs([model.fit(pose).trace_back(crown)[0] - crown[0] for pose in trembling])
    assert np.sqrt((moved**2).mean()) < 0.004 * HEAD.face
    tilt = np.exp(1j * np.radians(12))
    there = (crown - HEAD.center) * tilt + HEAD.center
    home = model.fit((PLANE - HEAD.center) * tilt + HEAD.center).trace_back(there.astype(np.complex64))
    assert abs(home[0] - crown[0]) < 0.03 * HEAD.face


@settings(max_examples=30)
@given(yaw=st.floats(-25, 25), pitch=st.floats(-15, 15))
def test_a_turn_neither_folds_nor_tears(yaw, pitch):
    points = back(yaw, pitch, Grid.covering(Box(0, 0, SIZE, SIZE), 4).nodes())
    along_x, along_y = np.diff(points, axis=1)[:-1], np.diff(points, axis=0)[:, :-1]
    assert (np.conj(along_x) * along_y).imag.min() > 0


def test_far_away_nothing_moves():
    points = Grid.covering(Box(0, 0, 3 * SIZE, 3 * SIZE), 8).nodes()
    far = np.abs(points - HEAD.center) > 2.1 * HEAD.face
    assert np.abs(back(20, 10, points) - points)[far].max() == 0


def test_a_hidden_jaw_line_stays_outside_of_the_face():
    flat = as_complex(turned(25).numpy())
    unfolded = ParallaxModel(PLANE, HEAD, FACE).keep_jaw_outside(flat)
    face = [point for point in range(68) if point not in FACE.groups["jaw"]]
    assert np.array_equal(unfolded[face], flat[face])
    right_temple, right_eye, brow = unfolded[16].real, unfolded[45].real, unfolded[26].real
    assert flat[16].real < flat[26].real  # turned away, it would lie over the brow
    assert right_temple > max(right_eye, brow)


def test_a_talking_face_is_not_unfolded():
    opened = POSE.clone()
    opened[[65, 66, 67, 55, 56, 57, 58, 59], 1] += 9
    opened[5:12, 1] += 9
    plane = as_complex(opened.numpy())
    assert np.array_equal(ParallaxModel(PLANE, HEAD, FACE).keep_jaw_outside(plane), plane)


def test_profiles_and_points_in_one_place_fall_back_to_the_plane():
    model = ParallaxModel(PLANE, HEAD, FACE)
    mirrored = as_complex((POSE * torch.tensor([-1.0, 1.0]) + torch.tensor([float(SIZE), 0.0])).numpy())
    for pose in (np.full(68, 100 + 100j), mirrored):
        motion = model.fit(pose)
        assert motion.lean == motion.foreshortening == 0
        assert np.isfinite(motion.trace_back(PLANE)).all()
    collapsed = ParallaxModel(np.full(68, 5 + 5j), HEAD, FACE).fit(PLANE)
    assert np.isfinite(collapsed.trace_back(PLANE)).all()


def test_without_depth_the_head_moves_in_the_plane():
    class Flat:
        def __getattr__(self, name):
            return getattr(FACE, name)

        spec = type("NoDims", (), {"model_fields": {}})()

    motion = ParallaxModel(PLANE, HEAD, Flat()).fit(as_complex(turned(15).numpy()))
    assert motion.lean == motion.foreshortening == 0
    assert isinstance(motion.outline, Similarity)


def grid_picture():
    """A head of one color with a grid on it, before a background with another."""
    picture = np.full((SIZE, SIZE, 3), (40, 60, 90), np.uint8)
    center = round(HEAD.center.real), round(HEAD.center.imag)
    axes = round(0.85 * HEAD.face), round(0.98 * HEAD.face)
    cv2.ellipse(picture, center, axes, 0, 0, 360, (220, 190, 170), cv2.FILLED)
    return picture


@pytest.mark.parametrize("yaw", [-20, -15, 15, 20])
def test_a_turned_head_is_rendered_whole(yaw):
    """No background shines through the head, and no head lies about in the background."""
    renderer = PortraitSpec().build(BuildContext(representation=FACE, audio_channels=26))
    motion = hm.Motion(turned(yaw)[None], Fraction(25), reference=POSE)
    (frame,) = renderer.frames([motion], grid_picture())
    head = (frame[..., 0] > 130).astype(np.uint8)
    lips = as_complex(turned(yaw).numpy())[48:60]
    box = Box.around(lips, 6)
    head[box.slices] = 1  # what is inside the mouth has its own colors
    for eye in (slice(36, 42), slice(42, 48)):
        head[Box.around(as_complex(turned(yaw).numpy())[eye], 4).slices] = 1
    parts, _, stats, _ = cv2.connectedComponentsWithStats(head)
    assert parts == 2 and stats[1, cv2.CC_STAT_AREA] > 20_000
    holes, _, _, _ = cv2.connectedComponentsWithStats(1 - head)
    assert holes == 2
    outline = cv2.findContours(head, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
    solidity = cv2.contourArea(outline) / cv2.contourArea(cv2.convexHull(outline))
    assert solidity > 0.97


def test_weights_of_the_head_are_those_of_its_formula():
    y, x = np.mgrid[-220:221, -220:221] / 100
    height, width = x / HALF_HEIGHT, y / HALF_WIDTH
    radius = np.hypot(height, width)
    down = smoothstep(-height / np.maximum(radius, 1e-6))
    last, first = FADE[1] + (FADE_BELOW[1] - FADE[1]) * down, FADE[0] + (FADE_BELOW[0] - FADE[0]) * down
    points = HEAD.center + (x + 1j * y) * HEAD.face * HEAD.up
    weights = HEAD.weight(points.astype(np.complex64))
    assert np.abs(weights - smoothstep((last - radius) / (last - first))).max() < 1e-3
    assert np.array_equal(HEAD.weight(points.astype(np.complex64)[200]), weights[200])
    assert weights[np.hypot(x, y) > REACH].max() == 0
    again, bulge = HEAD.weight_and_bulge(points.astype(np.complex64))
    assert np.array_equal(again, weights)
    assert np.abs(bulge - np.maximum(1 - radius**2, 0)).max() < 0.01


@pytest.mark.parametrize("shift", [0.05, 0.14, 0.16, 0.4])
def test_a_motion_is_traced_in_as_many_steps_as_it_needs(shift):
    points = Grid.covering(Box(0, 0, SIZE, SIZE), 8).nodes()
    motion = HeadMotion(HEAD, Similarity(np.exp(0.02j), HEAD.center * (1 - np.exp(0.02j)) + shift * HEAD.face))
    exact = trace_back(points, motion.outline, HEAD.weight, 100)
    assert np.abs(motion.trace_back(points) - exact).max() < 0.003 * HEAD.face


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (20, 10), (-15, 12), (50, -30)])
def test_outside_of_its_box_nothing_moves(yaw, pitch):
    motion = ParallaxModel(PLANE, HEAD, FACE).fit(as_complex(turned(yaw, pitch).numpy()) + 20 - 9j)
    box = motion.box()
    points = Grid.covering(box.grow(30), 2).nodes()
    outside = ~((points.real >= box.x0) & (points.real <= box.x1) & (points.imag >= box.y0) & (points.imag <= box.y1))
    moved = np.abs(motion.trace_back(points) - points)
    assert moved[outside].max() == 0
    assert moved.max() > 5
    # It is not much larger than what moves.
    rows, columns = np.nonzero(moved > 1e-3)
    extent = 2 * np.array([np.ptp(columns), np.ptp(rows)])
    assert (extent > 0.85 * np.array(box.size)).all()
