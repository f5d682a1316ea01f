from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.geometry.complex_points import as_complex
from headmotion.renderers.portrait.border import Border
from headmotion.renderers.portrait.box import Box
from headmotion.renderers.portrait.displacement_field import Grid
from headmotion.renderers.portrait.warper import PortraitWarper
from headmotion.renderers.specs import PortraitSpec
from headmotion.representations.specs import Landmarks68Spec

FACE = Landmarks68Spec().build()
EDGE = 128
RAMP = np.linspace(0, 255, EDGE)
PLACES = np.rint(np.stack([*np.meshgrid(RAMP, RAMP), np.full((EDGE, EDGE), 128)], axis=-1)).astype(np.uint8)
"""A picture whose red says where a pixel is across, and whose green says where it is down, in halves of a pixel."""


def face_at(x, y, size=110.0):
    """A face of about half of ``size``."""
    return FACE.neutral() * size + torch.tensor([x, y])


TIGHT = face_at(9.0, 6.0)
"""Brows, jaw and chin come close to the border of `PLACES`."""


def sources(pose, reference=TIGHT, picture=PLACES):
    """Return where the pixels of a frame come from, ``[H, W, 2]``, x and y."""
    warper = PortraitWarper(picture, as_complex(reference.numpy()), FACE)
    return warper.warp(as_complex(pose.numpy()))[..., :2].astype(float) * (EDGE - 1) / 255


@pytest.mark.parametrize("shift", [(0, 14), (0, -14), (14, 0), (-14, 0), (9, 9), (0, 60)])
def test_nothing_beyond_the_border_is_shown(shift):
    moved = sources(TIGHT + torch.tensor(shift, dtype=torch.float32))
    # Outside the face, where layers paint, neighbors keep their order: nothing is mirrored.
    edge = np.r_[0:20, EDGE - 20 : EDGE]
    across, down = moved[:, 8:, 0] - moved[:, :-8, 0], moved[8:, :, 1] - moved[:-8, :, 1]
    assert across[edge].min() > 0
    assert down[:, edge].min() > 0


@pytest.mark.parametrize(("shift", "side"), [((0, 12), np.s_[0, :, 1]), ((12, 0), np.s_[:, 0, 0])])
def test_the_outermost_pixels_stay_where_nothing_can_come_in(shift, side):
    assert np.abs(sources(TIGHT + torch.tensor(shift, dtype=torch.float32))[side]).max() <= 1


def test_what_leaves_the_picture_leaves_it_as_in_a_larger_one():
    around = 40
    larger = np.pad(PLACES, ((around, around), (around, around), (0, 0)), mode="edge")
    up = torch.tensor([0.0, -8.0])
    cut = PortraitWarper(PLACES, as_complex(TIGHT.numpy()), FACE).warp(as_complex((TIGHT + up).numpy()))
    pose = TIGHT + around
    whole = PortraitWarper(larger, as_complex(pose.numpy()), FACE).warp(as_complex((pose + up).numpy()))
    difference = np.abs(cut.astype(int) - whole[around:-around, around:-around])
    assert difference[: EDGE // 3, EDGE // 3 : -EDGE // 3].max() <= 3


def test_a_head_far_from_the_border_is_not_held_back():
    border = Border(Box(0, 0, 400, 400), np.array([180 + 180j, 220 + 230j]))
    assert border.retreat(border.box, lambda points: points) == 0
    assert border.retreat(Box(90, 80, 310, 400 - 1), lambda points: points - 1e3) == 0  # reaches no side
    source = Grid.covering(border.box, 1).nodes()
    pinned = source.copy()
    border.pin(pinned, border.box)
    assert (pinned == source).all()


def test_a_head_that_needs_too_much_moves_less():
    border = Border(Box(0, 0, 100, 100), np.array([30 + 30j, 70 + 70j]))
    moves = [border.retreat(border.box, lambda points, down=down: points - 1j * down) for down in (0, 5, 20, 60)]
    assert [move.real for move in moves] == [0] * 4
    remaining = [down + move.imag for down, move in zip((0, 5, 20, 60), moves, strict=True)]
    assert remaining[0] == 0
    assert remaining[1] > 4.5
    assert remaining[1] < remaining[2] < remaining[3] <= 0.8 * 30 + 1e-6


@settings(max_examples=40)
@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0.8, 1.2))
def test_a_pinned_map_stays_inside_and_neither_folds_nor_tears(x, y, scale):
    box = Box(0, 0, 120, 90)
    border = Border(box, np.array([40 + 35j, 80 + 60j]))
    pixels = Grid.covering(box, 1).nodes()
    center = 60 + 45j
    moved = (pixels - center) * scale + center - complex(x, y)
    source = moved.astype(np.complex64)
    border.pin(source, box)
    # What must come from beyond opposite sides at once is not both; the motions of a head do not ask for that.
    if scale <= 1:
        for pinned, free, last in ((source.real, moved.real, 119), (source.imag, moved.imag, 89)):
            shown = pinned[(free > 0) & (free < last)]
            assert ((shown >= -0.01) & (shown <= last + 0.01)).all()
    assert np.diff(source.real, axis=1).min() > 0
    assert np.diff(source.imag, axis=0).min() > 0


def test_a_crop_of_the_head_shows_what_the_picture_has_around_it():
    """A head that moves brings into the frame what the picture shows outside the crop."""
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(600, 600, 3)), (0, 0), 3)
    picture = np.clip(128 + 900 * noise, 0, 255).astype(np.uint8)
    pose = face_at(200.0, 190.0, 200.0)
    motion = Motion(torch.stack([pose, pose + torch.tensor([0.0, 25.0])]), Fraction(25), reference=pose)

    def frames(**fields):
        renderer = PortraitSpec(**fields).build(BuildContext(representation=FACE, audio_channels=26))
        return list(renderer.frames([motion], picture))

    whole, cropped = frames(), frames(crop="head")
    edge = len(cropped[0])
    assert edge < 300
    corners = [(x, y) for y in range(600 - edge + 1) for x in range(600 - edge + 1)]
    x, y = next((x, y) for x, y in corners if (picture[y, x : x + 9] == cropped[0][0, :9]).all())
    same = whole[1][y : y + edge, x : x + edge]
    assert np.abs(cropped[1].astype(int) - same)[: edge // 8].mean() < 4.0
    alone = PortraitWarper(np.ascontiguousarray(cropped[0]), as_complex(pose.numpy()) - complex(x, y), FACE)
    without = alone.warp(as_complex((pose + torch.tensor([0.0, 25.0])).numpy()) - complex(x, y))
    assert np.abs(without.astype(int) - same)[: edge // 8].mean() > 20.0
