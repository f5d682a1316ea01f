"""Mouths that are opened further, or less far, by a number or a curve."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from talking import FACES, neutral, talking

import headmotion as hm
from headmotion.controls import offset_mouth, scale_head
from headmotion.representations.blendshape_landmarks import JAW_OPENING

UPPER, LOWER = (61, 62, 63), (67, 66, 65)
SILENCE = np.zeros(0, np.float32)


def openings(motion: hm.Motion) -> torch.Tensor:
    """Return the opening of each frame without the head's motion, in distances of the outer eye corners."""
    values = scale_head(motion, 0).values.double()
    size = (neutral(FACES[0])[45] - neutral(FACES[0])[36])[:2].norm()
    return (values[:, LOWER, 1] - values[:, UPPER, 1]).mean(-1) / size


def test_the_opening_changes_by_the_number_and_the_rest_of_the_face_stays() -> None:
    motion = talking()
    edited = offset_mouth(motion, 0.1)
    untouched = [*range(17, 48), 50, 51, 52]
    assert torch.equal(edited.values[:, untouched], motion.values[:, untouched])
    torch.testing.assert_close(
        openings(edited) - openings(motion), torch.full((len(motion),), 0.1).double(), atol=0.01, rtol=0
    )
    chin, lip, corner = ((edited.values - motion.values)[:, k, 1].mean() for k in (8, 57, 48))
    assert lip > chin > corner > 0


def test_a_mouth_closes_until_its_lips_meet() -> None:
    motion = talking(size=0)
    assert float((openings(offset_mouth(motion, -1.0))).max()) < 0.01


def test_a_curve_follows_the_frames_of_a_stream_and_its_last_number_holds() -> None:
    motion = talking()
    curve = [0.0, 0.0, 0.05, 0.1]
    whole = offset_mouth(motion, curve)
    assert torch.equal(whole.values[:2], motion.values[:2])
    assert float((openings(whole) - openings(motion))[4:].min()) > 0.08
    control, context = offset_mouth(curve), hm.controls.ControlContext.from_motion(motion)
    edit, resumed = control.start(context), control.start(context)
    first = edit(motion.values[:3], SILENCE, False)
    resumed.set_state(edit.get_state())  # type: ignore[attr-defined]
    parts = torch.cat([first, resumed(motion.values[3:], SILENCE, True)])
    torch.testing.assert_close(parts, whole.values, atol=1e-3, rtol=0)


def test_weights_are_changed_by_their_jaw() -> None:
    shapes = hm.resolve_spec("representation", "blendshapes").build()
    motion = hm.Motion(torch.full((3, 52, 1), 0.2), 25, {"type": "blendshapes"})  # type: ignore[arg-type]
    edited = offset_mouth(motion, 0.09).values[..., 0]
    assert edited[:, shapes.point_names.index("jawOpen")].tolist() == pytest.approx([0.2 + 0.09 / JAW_OPENING] * 3)


def test_mistakes_are_one_line() -> None:
    with pytest.raises(hm.SpecError, match="offset_mouth: expected change: a finite number, or one per frame, got"):
        offset_mouth([])
    with pytest.raises(hm.SpecError, match="a finite number, or one per frame, got True"):
        offset_mouth(True)
    with pytest.raises(hm.SpecError, match="a finite number, or one per frame, got None"):
        offset_mouth(None)
    body = {"type": "joint-positions", "names": ("a", "b"), "parents": (-1, 0)}
    with pytest.raises(hm.MotionError, match="offset_mouth"):
        offset_mouth(hm.Motion(torch.rand(2, 2, 3), 25, body), 0.1)  # type: ignore[arg-type]
    assert len(hm.controls.from_options(opening=[0.1])) == 1
