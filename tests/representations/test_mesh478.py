"""The face mesh as renderers and controls see it."""

from fractions import Fraction

import pytest
import torch

import headmotion as hm
from headmotion.core.interfaces.representation import UnitSquare
from headmotion.representations.mesh478 import IBUG

MESH = hm.resolve_spec("representation", "mesh478").build()
NEUTRAL = MESH.denormalize(MESH.neutral(), UnitSquare(128.0, 128.0, 256.0))


def test_openings_are_upper_over_lower_and_eyes_open_everywhere_but_in_their_corners() -> None:
    for name, pairs in MESH.openings.items():
        upper, lower = (NEUTRAL[[pair[side] for pair in pairs]] for side in (0, 1))
        assert (upper[:, 1] <= lower[:, 1] + 0.1).all() and (upper[:, 0] - lower[:, 0]).abs().max() < 5, name
    for side, corners in (("right", {33, 133}), ("left", {362, 263})):
        moving = {point for pair in MESH.openings[f"{side}_eye"] for point in pair}
        assert set(MESH.groups[f"{side}_eye"]) - moving == corners


def test_outlines_are_closed_and_simple() -> None:
    for name, outline in MESH.contours.items():
        points = NEUTRAL[list(outline), :2]
        following = points.roll(-1, 0)
        area = (points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]).sum() / 2
        box = (points.amax(0) - points.amin(0)).prod()
        assert (following - points).norm(dim=1).max() < 0.5 * (points.amax(0) - points.amin(0)).max(), name
        assert abs(float(area)) > (0.0 if name == "inner_lips" else 0.3) * float(box), name


@pytest.mark.parametrize("control", [hm.controls.hold_pose(), hm.controls.scale_head(0.5), hm.controls.look_at(20, 0)])
def test_controls_of_the_head_keep_the_mouth_open(control: hm.controls.Control) -> None:
    values = NEUTRAL.repeat(6, 1, 1)
    lower = [pair[1] for pair in MESH.openings["mouth"]]
    values[:, lower, 1] += torch.arange(6.0)[:, None]
    values = values + torch.tensor([1.0, 0.5, 0.0]) * torch.arange(6.0)[:, None, None]
    motion = hm.Motion(values, Fraction(25), {"type": "mesh478"}, reference=NEUTRAL)
    edited = control(motion).values
    middle = MESH.openings["mouth"][1]
    opened, before = ((each[:, middle[1]] - each[:, middle[0]]).norm(dim=-1) for each in (edited, values))
    torch.testing.assert_close(opened, before, atol=0.02, rtol=0)
    landmarks = control(motion.to("landmarks68-3d")).values
    torch.testing.assert_close(landmarks, edited[:, list(IBUG)], atol=3.0, rtol=0)  # another skull, by more points
