"""Controls: their two uses, their invariances, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, fields
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from talking import CHANGES, FACES, IDENTITIES, RATE, SKULL, by_type, speech, talking

import headmotion as hm
from headmotion import controls
from headmotion.core.interfaces.specs import resolve_spec
from headmotion.core.plugins import registry

# Two uses


def test_a_name_edits_a_motion_or_makes_the_control() -> None:
    motion = talking()
    expected = controls.ScaleHead(0.5)(motion).values
    assert torch.equal(hm.controls.scale_head(motion, 0.5).values, expected)
    assert torch.equal(hm.controls.scale_head(motion, amount=0.5).values, expected)
    assert torch.equal(partial(hm.controls.scale_head, amount=0.5)(motion).values, expected)
    assert hm.controls.scale_head(0.5) == hm.controls.scale_head(amount=0.5) == controls.ScaleHead(0.5)
    assert hm.controls.smooth(80).lookahead_ms() == 80
    assert "Blinks" in (hm.controls.blink.__doc__ or "")


def test_other_fields_of_a_motion_do_not_change() -> None:
    motion = talking()
    edited = hm.controls.scale_lips(motion, 0.5)
    assert (edited.fps, edited.frame, edited.units, edited.provenance) == (motion.fps, None, "px", {})
    assert edited.representation == motion.representation and edited.reference is motion.reference
    assert edited.values.dtype == torch.float32 and edited.values.shape == motion.values.shape


@pytest.mark.parametrize("face", FACES, ids=str)
@pytest.mark.parametrize("control", IDENTITIES, ids=by_type)
def test_neutral_numbers_change_nothing(control: controls.Control, face: dict[str, Any]) -> None:
    motion = talking(face)
    assert torch.equal(control(motion).values, motion.values)


def test_ordinary_motion_is_within_the_limits() -> None:
    motion = talking(size=0.5)
    assert (hm.controls.limit(motion).values - motion.values).abs().max() < 1e-3


@pytest.mark.parametrize("face", FACES, ids=str)
@pytest.mark.parametrize("control", CHANGES, ids=by_type)
@given(scale=st.floats(0.01, 30), x=st.floats(-500, 500), y=st.floats(-500, 500))
@settings(max_examples=8)
def test_controls_commute_with_scale_and_shift(
    control: controls.Control, face: dict[str, Any], scale: float, x: float, y: float
) -> None:
    motion = talking(face, frames=25)
    move = torch.tensor([x, y, 0.0][: face["dims"]])
    assert motion.reference is not None
    moved = hm.Motion(
        motion.values * scale + move, motion.fps, representation=face, reference=motion.reference * scale + move
    )
    edited = control(motion, speech("-"), RATE).values * scale + move
    size = float(motion.values.abs().max() * scale + move.abs().max())
    torch.testing.assert_close(control(moved, speech("-"), RATE).values, edited, atol=2e-6 * size + 1e-4, rtol=0)


def test_without_a_reference_the_first_frame_is_the_resting_pose() -> None:
    motion = talking()
    bare = hm.Motion(motion.values, motion.fps)
    held = hm.controls.hold_pose(bare).values
    assert torch.equal(held[:, SKULL], motion.values[:1, SKULL].expand(60, -1, -1))
    assert len(hm.controls.smooth(hm.Motion(torch.zeros(0, 68, 2), Fraction(25)), 80)) == 0


# Errors


@pytest.mark.parametrize("control", [c for c in CHANGES if not isinstance(c, controls.Smooth)], ids=by_type)
@pytest.mark.parametrize(
    "spec",
    [{"type": "keypoints", "points": 10}, {"type": "joint-positions", "names": ["hip", "neck"], "parents": [-1, 0]}],
    ids=lambda spec: spec["type"],
)
def test_a_representation_without_the_parts_is_one_clear_error(control: controls.Control, spec: dict[str, Any]) -> None:
    points = hm.resolve_spec("representation", spec).build().neutral()  # type: ignore[attr-defined]
    motion = hm.Motion(points[None], Fraction(25), representation=spec)
    with pytest.raises(hm.MotionError, match=r"with the (group|opening)s? '") as caught:
        control(motion, speech("a"), RATE)
    assert spec["type"] in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: controls.scale_head(-1),
        lambda: controls.scale_lips(math.nan),
        lambda: controls.smooth(math.inf),
        lambda: controls.blink(1e6),
        lambda: controls.look_at(120, 0),
        lambda: controls.limit(mouth=0),
        lambda: controls.scale_head("0.5"),  # type: ignore[call-overload]
    ],
)
def test_numbers_out_of_range_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(hm.SpecError, match=r" spec: expected \w+: a (finite )?number( from \S+ to \S+)?, got "):
        make()


@pytest.mark.parametrize("seed", ["a", 1.5, -5, 10**400, None, True, 1 << 63])
def test_seeds_of_controls_are_checked(seed: Any) -> None:
    for make in (controls.blink, controls.blink_at_pauses, controls.saccade):
        with pytest.raises(hm.SpecError, match=r"expected seed"):
            make(1, seed=seed)


@pytest.mark.parametrize("name", registry().types("control"))
def test_a_control_has_the_defaults_of_its_spec(name: str) -> None:
    spec = resolve_spec("control", name)
    for field in fields(type(spec.build())):  # type: ignore[arg-type]
        if field.default is not MISSING and hasattr(spec, field.name):
            assert field.default == getattr(spec, field.name)


def test_numbers_of_numpy_become_those_of_python() -> None:
    control = controls.Blink(np.float64(12), np.int64(3))
    assert (type(control.rate), type(control.seed)) == (float, int)


def test_frames_of_another_shape_are_refused() -> None:
    with pytest.raises(hm.MotionError, match="68, 2"):
        hm.controls.scale_head(hm.Motion(torch.zeros(3, 68, 3), Fraction(25)), 0.5)
    broken = talking()
    broken.values[3, 30] = math.nan
    with pytest.raises(hm.MotionError, match="finite"):
        hm.controls.scale_head(broken, 0.5)
    with pytest.raises(hm.MotionError, match="different positions"):
        hm.controls.scale_head(hm.Motion(torch.zeros(3, 68, 2), Fraction(25)), 0.5)
