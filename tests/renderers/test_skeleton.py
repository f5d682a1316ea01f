from fractions import Fraction

import numpy as np
import pytest
import torch

from headmotion.core.errors import MotionError, SpecError
from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.renderers.specs import SkeletonSpec
from headmotion.representations.specs import JointPositionsSpec, KeypointsSpec, Landmarks68Spec

FACE = Landmarks68Spec().build()


def build(representation=FACE, **fields):
    return SkeletonSpec(**fields).build(BuildContext(representation=representation, audio_channels=26))


def motion_of(values, **fields):
    return Motion(values, Fraction(25), **fields)


def face(frames=1):
    return (FACE.neutral() * 300 + 20).repeat(frames, 1, 1)


def drawn(picture, background=(16, 18, 24)):
    return np.argwhere((picture != background).any(axis=2))


def test_a_face_is_drawn_within_its_margin():
    (picture,) = build(size=128).frames([motion_of(face())])
    assert picture.shape == (128, 128, 3)
    assert picture.dtype == np.uint8
    low, high = drawn(picture).min(axis=0), drawn(picture).max(axis=0)
    margin = 128 * 0.25 / 1.5
    assert (low > margin - 6).all()
    assert (high < 128 - margin + 6).all()
    assert (high - low).max() > 128 - 2 * margin - 6


def test_groups_have_their_colors():
    (picture,) = build(size=256, group_colors={"lips": (255, 0, 0)}, color=(0, 0, 255)).frames([motion_of(face())])
    pure = (picture.astype(int)[..., 0] > 200) & (picture[..., 2] < 60)
    assert pure.any()
    assert np.argwhere(pure)[:, 0].min() > 128  # lips lie in the lower half


def test_positions_are_finer_than_pixels():
    still = face(2)
    still[1, :, 0] += 0.1
    first, second = build(size=256).frames([motion_of(still, reference=still[0])])
    change = np.abs(first.astype(int) - second).max()
    assert 0 < change < 140


def test_the_view_stays_while_the_face_moves():
    values = face(2)
    values[1, :, 0] += 30
    first, second = build(size=128).frames([motion_of(values)])
    assert drawn(second)[:, 1].mean() > drawn(first)[:, 1].mean() + 5


def test_pieces_make_the_frames_of_the_whole():
    whole = motion_of(face(5) + torch.arange(5.0)[:, None, None], reference=face()[0])
    renderer = build(size=64)
    expected = list(renderer.frames([whole]))
    assert len(expected) == 5
    assert np.array_equal(list(renderer.frames([whole[:2], whole[2:2], whole[2:]])), expected)


@pytest.mark.parametrize(
    "representation",
    [
        KeypointsSpec(points=10, jacobians=True).build(),
        JointPositionsSpec(names=("root", "left_hand", "right_hand"), parents=(-1, 0, 0)).build(),
    ],
)
def test_any_representation_can_be_drawn(representation):
    pose = representation.neutral() * 100
    (picture,) = build(representation, size=64).frames([motion_of(pose[None])])
    assert len(drawn(picture)) > 20


def test_an_odd_size_becomes_even(caplog):
    (picture,) = build(size=65).frames([motion_of(face())])
    assert picture.shape == (66, 66, 3)
    assert caplog.messages == ["the size 65 becomes 66: video encoders need even edges"]


def test_no_motion_no_frames():
    assert list(build().frames([])) == []
    assert list(build().frames([motion_of(face(0))])) == []


def test_one_place_and_far_away_do_no_harm():
    values = torch.stack([torch.full((68, 2), 7.0), torch.full((68, 2), 1e12)])
    assert len(list(build(size=32).frames([motion_of(values)]))) == 2


def test_bad_motion_is_one_clear_line():
    broken = face()
    broken[0, 3, 1] = float("nan")
    with pytest.raises(MotionError, match="finite positions, got NaN or infinity in"):
        list(build().frames([motion_of(face()), motion_of(broken)]))
    with pytest.raises(MotionError, match="units 'unit'"):
        list(build().frames([motion_of(face(), units="unit")]))
    with pytest.raises(MotionError, match="68"):
        list(build().frames([motion_of(torch.zeros(1, 5, 2))]))


def test_spec_ranges():
    with pytest.raises(SpecError, match="size"):
        SkeletonSpec(size=4)
