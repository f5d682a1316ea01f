from fractions import Fraction

import cv2
import numpy as np
import torch

from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.renderers.portrait.view import fill_transparent
from headmotion.renderers.specs import PortraitSpec
from headmotion.representations.specs import Landmarks68Spec

FACE = Landmarks68Spec().build()
SIZE = 240
POSE = FACE.neutral() * 140 + torch.tensor([50.0, 40.0])
SKIN = (220, 180, 160)


def transparent_background():
    """A head with a hard edge; the background is transparent, and black as programs leave it."""
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    cv2.ellipse(picture, (120, 100), (60, 75), 0, 0, 360, (*SKIN, 255), cv2.FILLED)
    return picture


def render(pose, picture, **fields):
    renderer = PortraitSpec(**fields).build(BuildContext(representation=FACE, audio_channels=26))
    return next(renderer.frames([Motion(pose[None], Fraction(25), reference=POSE)], picture))


def test_hidden_pixels_take_the_nearest_color():
    picture = np.zeros((5, 9, 4), np.uint8)
    picture[:, 1], picture[:, 7] = (200, 0, 0, 255), (0, 0, 200, 90)
    filled = fill_transparent(picture)
    assert np.array_equal(filled[..., 3], picture[..., 3])
    assert (filled[:, :4, :3] == (200, 0, 0)).all()
    assert (filled[:, 5:, :3] == (0, 0, 200)).all()
    for picture in (np.zeros((3, 3, 4), np.uint8), np.full((3, 3, 4), 255, np.uint8)):
        assert fill_transparent(picture) is picture


def test_a_keyed_picture_at_rest_is_unchanged():
    frame = render(POSE, transparent_background())
    assert frame.shape == (SIZE, SIZE, 4)
    assert np.abs(frame[..., 3].astype(int) - transparent_background()[..., 3]).max() <= 1
    inside = transparent_background()[..., 3] == 255
    assert np.abs(frame[inside].astype(int) - transparent_background()[inside]).max() <= 1


def test_the_background_moves_with_the_head_and_leaves_no_rim():
    frame = render(POSE + torch.tensor([9.0, 0.0]), transparent_background())
    visible = np.argwhere(frame[100, :, 3] > 127)
    assert abs(visible.min() - (60 + 9)) <= 1
    assert abs(visible.max() - (180 + 9)) <= 1
    face = POSE[:27].mean(dim=0).round().int().tolist()
    rim = (frame[..., 3] > 0) & (np.abs(np.arange(SIZE)[None] - face[0]) > 45)
    assert np.abs(frame[rim][:, :3].astype(int) - SKIN).max() <= 3


def test_the_mouth_is_opaque():
    opened = POSE.clone()
    opened[[65, 66, 67, 55, 56, 57, 58, 59], 1] += 12
    frame = render(opened, transparent_background())
    x, y = opened[[62, 66]].mean(dim=0).int().tolist()
    assert frame[y, x, 3] == 255
    assert frame[y, x, :3].max() < 120


def test_cropped_and_sized():
    frame = render(POSE, transparent_background(), crop="head", size=100)
    assert frame.shape == (100, 100, 4)
    assert frame[2, 2, 3] == 0


def test_the_same_face_with_and_without_transparency():
    opened = POSE.clone()
    opened[[65, 66, 67, 55, 56, 57, 58, 59], 1] += 8
    rng = np.random.default_rng(0)
    picture = rng.integers(90, 200, (SIZE, SIZE, 3), np.uint8)
    full = np.dstack([picture, np.full((SIZE, SIZE), 255, np.uint8)])
    with_alpha, without = render(opened, full), render(opened, picture)
    assert np.array_equal(with_alpha[..., :3], without)
    assert with_alpha[..., 3].min() == 255
