from fractions import Fraction

import numpy as np
import pytest
import torch

from headmotion.core.errors import MotionError
from headmotion.core.interfaces.representation import UnitSquare
from headmotion.core.interfaces.specs import BuildContext, resolve_spec
from headmotion.core.motion import Motion
from headmotion.representations.blendshapes import NAMES

SHAPES = resolve_spec("representation", "blendshapes").build()


def test_names_and_groups() -> None:
    assert len(set(NAMES)) == 52 == SHAPES.points
    assert sum(map(len, SHAPES.groups.values())) == 51  # the tongue belongs to none
    assert [NAMES[k] for k in SHAPES.groups["jaw"]] == ["jawForward", "jawLeft", "jawRight", "jawOpen"]
    swapped = {NAMES[k]: NAMES[opposite] for k, opposite in enumerate(SHAPES.mirror) if opposite != k}
    assert swapped["eyeBlinkLeft"] == "eyeBlinkRight" and swapped["jawRight"] == "jawLeft"
    assert len(swapped) == 40


def test_values_are_no_lengths() -> None:
    values = torch.rand(3, 52, 1, generator=torch.Generator().manual_seed(0))
    assert torch.equal(SHAPES.normalize(values, UnitSquare(3.0, 4.0, 5.0)), values)
    assert torch.equal(SHAPES.denormalize(values, UnitSquare(3.0, 4.0, 5.0)), values)
    assert SHAPES.frame_of(values) == SHAPES.frame_of(0 * values) == UnitSquare(0.5, 0.5, 1.0)
    assert torch.equal(SHAPES.flip(values)[:, 0], values[:, 7])


def test_bars_are_drawn() -> None:
    values = torch.zeros(2, 52, 1)
    values[1, NAMES.index("mouthSmileLeft")] = 1.0
    drawing = SHAPES.to_drawing2d(values)
    assert drawing.shape == (2, 104, 2) and 0 < float(drawing.min()) < float(drawing.max()) < 1
    renderer = resolve_spec("renderer", {"type": "skeleton", "size": 128}).build(BuildContext(SHAPES, 26))
    resting, raised = renderer.frames([Motion(values, Fraction(25), {"type": "blendshapes"})])
    assert not np.array_equal(resting, raised)
    rows = np.argwhere((resting != raised).any(axis=2))
    assert np.ptp(rows[:, 0]) > 10 and np.ptp(rows[:, 1]) < 10  # one upright bar
    assert rows[:, 1].mean() > 64  # the person's left


def test_wrong_shapes_are_one_clear_error() -> None:
    for wrong in (torch.zeros(51, 1), torch.zeros(52), torch.zeros(52, 0)):
        for use in (SHAPES.flip, SHAPES.frame_of, SHAPES.to_points2d):
            with pytest.raises(MotionError, match="blendshapes: expected poses"):
                use(wrong)
    with pytest.raises(MotionError, match="finite"):
        SHAPES.frame_of(torch.full((52, 1), float("nan")))
