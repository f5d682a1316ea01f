"""Saccades: the irises move, and nothing else; sizes, times, streams and errors."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headmotion as hm
from headmotion.controls.control import ControlContext
from headmotion.controls.saccades import EYEBALL, MAX_DEG, MIN_FIXATION_S, fixations
from headmotion.controls.specs import SaccadeSpec
from headmotion.testing.runner import check_component

FACES: list[dict[str, Any]] = [{"type": "mesh478", "dims": 3}, {"type": "mesh478", "dims": 2}, {"type": "blendshapes"}]


def still(face: dict[str, Any], frames: int = 250, fps: int = 25) -> hm.Motion:
    pose = hm.resolve_spec("representation", face).build().neutral()  # type: ignore[attr-defined]
    pose = pose * 400 if pose.shape[1] > 1 else pose
    return hm.Motion(pose.expand(frames, -1, -1).clone(), Fraction(fps), face, reference=pose)


def test_irises_move_together_and_nothing_else_does() -> None:
    motion = still(FACES[0])
    representation = motion.build_representation()
    moved = (hm.controls.saccade(motion).values - motion.values).norm(dim=-1)
    irises = [*representation.groups["left_iris"], *representation.groups["right_iris"]]
    others = [k for k in range(representation.points) if k not in irises]
    assert moved[:, others].max() == 0
    assert torch.allclose(moved[:, irises], moved[:, irises[:1]], atol=1e-3)
    left, right = representation.scale_pair
    size = float((motion.values[0, left] - motion.values[0, right])[:2].norm())
    assert 0.01 * size < moved.max() <= EYEBALL * np.sin(np.radians(MAX_DEG)) * size + 1e-3
    assert moved[:, irises[0]].eq(0).float().mean() > 0.5  # mostly, eyes rest on the listener


def test_a_gaze_to_the_left_is_the_same_in_mesh_and_blend_shapes() -> None:
    mesh, shapes = (hm.controls.saccade(still(face, 2000), amount=1, seed=4) for face in (FACES[0], FACES[2]))
    center = mesh.build_representation().groups["left_iris"][0]
    across = mesh.values[:, center, 0] - mesh.reference[center, 0]  # type: ignore[index]
    names = shapes.build_representation().point_names
    out, inward = (shapes.values[:, names.index(f"eyeLook{word}Left"), 0] for word in ("Out", "In"))
    assert np.corrcoef(across.numpy(), (out - inward).numpy())[0, 1] > 0.99
    assert torch.equal(out, shapes.values[:, names.index("eyeLookInRight"), 0])
    assert shapes.values.min() >= 0 and shapes.values.max() <= 1


def test_eyes_are_away_about_a_quarter_of_the_time() -> None:
    gazes = list(islice(fixations(1), 2001))
    begins = np.array([gaze.begin for gaze in gazes])
    lengths, sizes = np.diff(begins), np.array([np.hypot(gaze.left, gaze.down) for gaze in gazes])
    assert lengths.min() >= MIN_FIXATION_S
    assert lengths[1::2].sum() / lengths.sum() == pytest.approx(0.93 / (0.93 + 3.13), abs=0.03)
    assert not sizes[::2].any() and sizes.max() == pytest.approx(MAX_DEG)


@pytest.mark.parametrize("face", FACES, ids=str)
def test_the_same_in_pieces_at_any_rate_and_after_a_snapshot(face: dict[str, Any]) -> None:
    control, motion = hm.controls.Saccade(1.5, seed=2), still(face, 300)
    whole = control(motion).values
    fast = control(still(face, 1200, 100)).values
    torch.testing.assert_close(fast[::4], whole, atol=1e-4, rtol=0)
    context, none = ControlContext.from_motion(motion), np.zeros(0, np.float32)
    edit, resumed = control.start(context), control.start(context)
    first = [edit(part, none, False) for part in motion.values[:170].split(7)]
    resumed.set_state(edit.get_state())  # type: ignore[attr-defined]
    second = [resumed(part, none, False) for part in motion.values[170:].split(1)]
    torch.testing.assert_close(torch.cat([*first, *second]), whole, atol=1e-4, rtol=0)
    assert not torch.equal(whole, hm.controls.Saccade(1.5, seed=3)(motion).values)
    assert torch.equal(hm.controls.Saccade(0)(motion).values, motion.values)


@pytest.mark.parametrize("face", FACES, ids=str)
def test_the_contract_of_controls(face: dict[str, Any]) -> None:
    results = check_component(SaccadeSpec(seed=1, amount=2), representation=face)
    assert {result.status for result in results} == {"passed"}


def test_from_a_session_and_by_its_spec(tmp_path: Path) -> None:
    pipe, speech = hm.load("blendshapes", device="cpu"), np.zeros(5 * 16_000, np.float32)
    controls = hm.controls.from_options(more=[{"type": "saccade", "amount": 1.2, "seed": 5}])
    assert controls == [hm.controls.saccade(1.2, 5)]
    whole = pipe.generate((speech, 16_000), controls=controls)
    assert not torch.equal(whole.values, pipe.generate((speech, 16_000)).values)
    session = pipe.stream(controls=controls)
    parts = [session.push(part).values for part in np.split(speech, [20_000, 20_001])]
    continued = pipe.restore(session.snapshot(tmp_path / "session.safetensors"))
    torch.testing.assert_close(torch.cat([*parts, continued.flush().values]), whole.values, atol=1e-4, rtol=0)


def test_faces_without_irises_and_wrong_amounts_are_one_error() -> None:
    with pytest.raises(hm.MotionError, match="left_iris"):
        hm.controls.saccade(still({"type": "landmarks68"}, 2))
    with pytest.raises(hm.SpecError, match="amount"):
        hm.controls.saccade(4)
