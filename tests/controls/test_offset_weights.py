"""Weights that are raised and lowered by name."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

import headmotion as hm
from headmotion.controls import offset_weights
from headmotion.pipeline.generate_options import GenerateOptions

SHAPES = hm.resolve_spec("representation", "blendshapes").build()
JAW, SMILE = (SHAPES.point_names.index(name) for name in ("jawOpen", "mouthSmileLeft"))


def motion(frames: int = 6) -> hm.Motion:
    values = torch.full((frames, 52, 1), 0.5)
    return hm.Motion(values, Fraction(25), {"type": "blendshapes"}, hm.UnitSquare(0.5, 0.5, 1.0))


def test_weights_change_by_name_and_stay_in_their_range() -> None:
    edited = offset_weights(motion(), {"jawOpen": 0.2, "mouthSmileLeft": -0.9}).values[..., 0]
    assert torch.allclose(edited[:, JAW], torch.tensor(0.7)) and not edited[:, SMILE].any()
    others = [k for k in range(52) if k not in (JAW, SMILE)]
    assert torch.equal(edited[:, others], motion().values[:, others, 0])


def test_weights_beyond_the_range_are_not_moved_into_it() -> None:
    given = motion(1)
    given.values[0, JAW], given.values[0, SMILE] = 1.2, -0.1
    edited = offset_weights(given, {"jawOpen": 0.3, "mouthSmileLeft": -0.3}).values[0, :, 0]
    assert edited[[JAW, SMILE]].tolist() == pytest.approx([1.2, -0.1])


def test_curves_follow_the_frames_of_a_stream_and_their_last_number_holds() -> None:
    control, whole = offset_weights({"jawOpen": [0.0, 0.1, 0.2]}), motion()
    expected = offset_weights(whole, {"jawOpen": [0.0, 0.1, 0.2]}).values
    assert (expected[:, JAW, 0] - 0.5).tolist() == pytest.approx([0.0, 0.1, 0.2, 0.2, 0.2, 0.2])
    context = hm.controls.ControlContext.from_motion(whole)
    edit, resumed = control.start(context), control.start(context)
    first = edit(whole.values[:2], torch.zeros(0).numpy(), False)
    resumed.set_state(edit.get_state())  # type: ignore[attr-defined]
    second = resumed(whole.values[2:], torch.zeros(0).numpy(), True)
    assert torch.equal(torch.cat([first, second]), expected)


def test_mistakes_are_one_line() -> None:
    with pytest.raises(hm.MotionError, match=r"expected names of blendshapes, got 'jaw'; did you mean 'jawOpen'"):
        offset_weights(motion(), {"jaw": 0.1})
    with pytest.raises(hm.SpecError, match="jawOpen: a finite number, or one per frame, got nan"):
        offset_weights({"jawOpen": float("nan")})
    points = hm.Motion(torch.rand(3, 68, 2), 25)
    with pytest.raises(hm.MotionError, match="one number per name, such as blend shapes, got landmarks68, 2 numbers"):
        offset_weights(points, {"jawOpen": 0.1})


def test_options_take_weights_by_name() -> None:
    options = GenerateOptions.parse({"weights": {"jawOpen": 0.2}}).control_options()
    (control,) = hm.controls.from_options(**options)
    assert control(motion()).values[0, JAW, 0] == pytest.approx(0.7)
