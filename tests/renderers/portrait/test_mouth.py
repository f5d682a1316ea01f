"""What is seen inside a mouth of which the picture shows little."""

import numpy as np
import pytest

from headmotion.renderers.portrait.box import Box
from headmotion.renderers.portrait.mouth import PARTING_TONE, MouthLayer, _teeth_shown
from headmotion.renderers.portrait.opening_layer import SkullMotion
from headmotion.renderers.portrait.openings import SAMPLES, OpeningShape
from headmotion.renderers.portrait.warp import Similarity

LAMPS = [(1.0, 1.0, 1.0), (1.0, 0.7, 0.35), (0.6, 0.8, 1.0)]
SKIN, LIPS = np.array([200.0, 160.0, 130.0]), np.array([170.0, 100.0, 90.0])
RIGID = np.array([30 + 20j, 60 + 20j, 90 + 20j, 60 + 35j])
UNMOVED = SkullMotion(Similarity(1, 0), np.zeros(4))


def lips(gap):
    """Lips 40 pixels wide in the middle of a picture of 120, ``gap`` pixels apart on average."""
    x = np.linspace(40, 80, SAMPLES)
    bow = 1.5 * gap * (1 - ((x - 60) / 20) ** 2)
    return OpeningShape(x + 60j, x + 1j * (60 + bow), 1 + 0j)


def face(lamp, gap=0.0, inner=None):
    """Skin, an ellipse of lips, and ``inner`` between them where they are apart."""
    y, x = np.mgrid[:120, :120]
    picture = np.where((((x - 60) / 27) ** 2 + ((y - 60 - gap) / 13) ** 2 < 1)[..., None], LIPS, SKIN)
    if inner is not None:
        depth = (y - 60) * (60 + 1.5 * gap * (1 - ((x - 60) / 20) ** 2) - y)
        picture = np.where(((abs(x - 60) < 20) & (depth > 0))[..., None], inner, picture)
    return np.rint(picture * lamp).astype(np.uint8)


def column_colors(picture, still, shape):
    """Colors in the middle column of an opening."""
    mouth = MouthLayer(still, RIGID, picture)
    (colors, mask), *_ = mouth.paint(picture, shape, UNMOVED, box := mouth.box(shape).clip(Box(0, 0, 120, 120)))
    column = 60 - box.x0
    return colors[mask[:, column] > 0.99, column]


@pytest.mark.parametrize("lamp", LAMPS)
def test_teeth_and_tongue_are_seen_in_the_light_that_falls_on_the_face(lamp):
    plain, lit = (column_colors(face(light), lips(0.0), lips(12.0)) for light in (LAMPS[0], lamp))
    assert np.abs(lit - plain * lamp).max() < 4
    teeth, dark, tongue = (plain.mean(axis=1) / SKIN.mean())[[3, len(plain) // 2, -1]]
    assert 0.3 < dark < 0.5 < tongue < teeth < 0.9


def test_below_teeth_that_the_picture_shows_it_is_dark_and_not_a_band_of_tongue():
    still = lips(6.0)
    colors = column_colors(face(LAMPS[0], 6.0, (215, 205, 190)), still, lips(10.0)).mean(axis=1) / SKIN.mean()
    below_teeth = colors[9:-1]  # the middle of the mouth is half as high again as the mean
    assert colors[4] > 0.9 and below_teeth.min() < 0.45 and colors[-1] > below_teeth.min() + 0.1


def test_lips_that_hardly_part_show_their_own_color_darker():
    assert np.abs(column_colors(face(LAMPS[0]), lips(0.0), lips(1.6)) - PARTING_TONE * LIPS).max() < 4


@pytest.mark.parametrize("lamp", LAMPS)
@pytest.mark.parametrize(
    ("inner", "shown"),
    [((215, 205, 190), 1), ((140, 115, 105), 1), ((60, 35, 31), 0), ((165, 97, 87), 0), ((110, 64, 57), 0)],
    ids=["bright teeth", "teeth in shadow", "dark", "tongue", "shadow"],
)
def test_teeth_are_paler_or_less_red_than_lips(lamp, inner, shown):
    picture = face(lamp, 6.0, np.array(inner))
    assert MouthLayer(lips(6.0), RIGID, picture).teeth_shown == pytest.approx(shown, abs=0.1)


def test_teeth_of_a_grey_picture_are_paler():
    grey = np.full((50, 3), 180.0)
    assert _teeth_shown(grey, np.full(3, 120.0)) == 1
    assert _teeth_shown(grey, np.full(3, 190.0)) == 0
    assert _teeth_shown(np.zeros((0, 3)), LIPS) == 0
