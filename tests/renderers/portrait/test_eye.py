from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch

from headmotion.core.interfaces.specs import BuildContext
from headmotion.core.motion import Motion
from headmotion.geometry.complex_points import as_complex
from headmotion.renderers.portrait.eye import open_lids
from headmotion.renderers.portrait.openings import find_openings
from headmotion.renderers.specs import PortraitSpec
from headmotion.representations.specs import Landmarks68Spec

FACE = Landmarks68Spec().build()
SIZE = 360
SKIN, IRIS, BROW = (215, 180, 160), (40, 60, 200), (60, 40, 30)
OPENINGS = {opening.name: opening for opening in find_openings(FACE)}


def face():
    """A large face with open eyes."""
    pose = FACE.neutral() * 340 + torch.tensor([10.0, 10.0])
    for upper, lower in (*FACE.openings["left_eye"], *FACE.openings["right_eye"]):
        pose[upper, 1] -= 4
        pose[lower, 1] += 4
    return pose


POSE = face()


def drawn_face():
    picture = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    for eye in ("left_eye", "right_eye"):
        outline = POSE[list(FACE.contours[eye])].numpy()
        cv2.fillPoly(picture, [np.rint(outline * 16).astype(np.int32)], IRIS, shift=4)
    for brow in (range(17, 22), range(22, 27)):
        low = POSE[list(brow)].numpy() + np.array([0, 8])
        line = np.rint(low * 16).astype(np.int32)
        cv2.polylines(picture, [line], False, BROW, 5, shift=4)
    return picture


PICTURE = drawn_face()


def closed(amount, pose=POSE):
    moved = pose.clone()
    for upper, lower in (*FACE.openings["left_eye"], *FACE.openings["right_eye"]):
        moved[upper] = pose[upper] + amount * (pose[lower] - pose[upper])
    return moved


def render(pose, picture=PICTURE):
    renderer = PortraitSpec().build(BuildContext(representation=FACE, audio_channels=26))
    return next(renderer.frames([Motion(pose[None], Fraction(25), reference=POSE)], picture)).astype(int)


def blue(frame):
    return int(((frame[..., 2] - frame[..., 0]) > 60).sum())


@pytest.mark.parametrize(("amount", "left"), [(0.5, (0.35, 0.65)), (1.0, (0.0, 0.02))])
def test_lids_cover_as_much_as_they_close(amount, left):
    share = blue(render(closed(amount))) / blue(render(POSE))
    assert left[0] <= share <= left[1]


def test_closing_lids_leave_the_brows_alone():
    before, after = PICTURE.astype(int), render(closed(1.0))
    still = as_complex(POSE.numpy())
    for eye in ("left_eye", "right_eye"):
        x = round(still[list(FACE.contours[eye])].real.mean())
        top = round(still[list(FACE.contours[eye])].imag.min())
        brow = slice(top - 40, top - 8)
        assert np.abs(after[brow, x - 15 : x + 15] - before[brow, x - 15 : x + 15]).mean() < 3


def test_closed_lids_have_the_color_of_skin_and_a_line_of_lashes():
    frame = render(closed(1.0))
    middle = as_complex(POSE.numpy())[list(FACE.contours["left_eye"])].mean()
    x, y = round(middle.real), round(middle.imag)
    column = frame[y - 6 : y + 14, x]
    assert np.abs(frame[y - 4, x] - SKIN).max() < 50
    assert column.min() < 150 < np.median(column)


def test_opened_wider_the_lids_part():
    wide = POSE.clone()
    for upper, _ in (*FACE.openings["left_eye"], *FACE.openings["right_eye"]):
        wide[upper, 1] -= 5
    assert blue(render(wide)) > 1.15 * blue(render(POSE))


def test_the_warp_sees_lids_no_further_closed_than_in_the_picture():
    still, shut = as_complex(POSE.numpy()), as_complex(closed(0.7).numpy())
    opening = OPENINGS["left_eye"]
    assert np.allclose(open_lids(opening, still, still), still)
    assert np.allclose(open_lids(opening, still, shut)[list(opening.upper)], still[list(opening.upper)], atol=1e-4)
    moved = shut * np.exp(0.2j) + 7
    assert np.allclose(open_lids(opening, still, moved), open_lids(opening, still, shut) * np.exp(0.2j) + 7, atol=1e-3)
    together = np.full(68, 4 + 4j)
    assert np.isfinite(open_lids(opening, together, shut)).all()
    assert np.isfinite(open_lids(opening, still, together)).all()
