"""Checks of representations."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ...core.errors import MotionError
from ...core.interfaces.representation import Representation, UnitSquare
from ..build_context import Subject
from ..hypothesis_sizes import over_sizes
from ..inputs import FRAME, poses, same
from ..kit import NotApplicable, check


@check("representation", 1, "Compare points, point_names, groups, contours, openings, edges, mirror and neutral().")
def representation_is_consistent(subject: Subject) -> None:
    """Counts agree, every index names a point, the mirror swaps pairs, the neutral pose is ``[P, D]``."""
    it: Representation = subject.build()
    assert len(it.point_names) == len(set(it.point_names)) == it.points, "point_names: one name per point is needed"
    lists = (*it.groups.values(), *it.contours.values(), *it.edges, it.scale_pair, it.mirror)
    pairs = [pair for each in it.openings.values() for pair in each]
    stray = {point for each in (*lists, *pairs) for point in each} - set(range(it.points))
    assert not stray, f"indices beyond the {it.points} points: {sorted(stray)}"
    assert all(it.mirror[it.mirror[point]] == point for point in range(it.points)), "mirror: not its own inverse"
    assert it.neutral().shape == (it.points, it.dims), f"neutral: shape {list(it.neutral().shape)}"


@check("representation", 1, "`denormalize` must undo `normalize` for any frame, and `flip` must undo itself.")
def representation_maps_both_ways(subject: Subject) -> None:
    """`denormalize` undoes `normalize`, `flip` undoes itself, `to_points2d` gives ``[..., P, 2]``, for any batch."""
    it: Representation = subject.build()

    def sized(batch: int, frames: int) -> None:
        unit = poses(subject, batch, frames)
        same(it.normalize(it.denormalize(unit, FRAME), FRAME), unit, "unit to pixels and back")
        same(it.flip(it.flip(unit)), unit, "flipped twice")
        got = it.to_points2d(unit).shape
        assert got == (batch, frames, it.points, 2), f"to_points2d: {list(got)}"
        for name, each in (("normalize", it.normalize(unit, FRAME)), ("to_points2d", it.to_points2d(unit))):
            alone = it.normalize(unit[0, 0], FRAME) if name == "normalize" else it.to_points2d(unit[0, 0])
            same(each[0, 0], alone, f"{name} of one pose alone")

    over_sizes(sized, batch=(1, 4), frames=(1, 6))


@check("representation", 2, "`frame_of` takes the middle of the box around all points, and twice its longer edge.")
def representation_frames_its_points(subject: Subject) -> None:
    """In their own frame, poses lie around the middle, and the longer edge of their box is half the frame."""
    it: Representation = subject.build()
    pixels = it.denormalize(_places(subject, it, 1)[0], FRAME)
    seen = it.to_points2d(it.normalize(pixels, it.frame_of(pixels))).reshape(-1, 2)
    low, high = seen.amin(0), seen.amax(0)
    same((low + high) / 2, torch.full((2,), 0.5), "middle of the box", 1e-3)
    same((high - low).max(), torch.tensor(0.5), "longer edge of the box", 1e-3)


@check("representation", 2, "Mirror what `to_points2d` sees: x becomes 1 - x, and each point takes its mirror's place.")
def representation_mirrors_what_is_seen(subject: Subject) -> None:
    """A flipped pose is seen as the mirrored picture: point ``i`` at ``(1 - x, y)`` of point ``mirror[i]``."""
    it: Representation = subject.build()
    unit = _places(subject, it, 2)
    seen = it.to_points2d(unit)[..., list(it.mirror), :]
    wanted = torch.stack([1 - seen[..., 0], seen[..., 1]], dim=-1)
    same(it.to_points2d(it.flip(unit)), wanted, "the mirrored picture", 1e-4)


@check("representation", 2, "Compute with torch on the values given; no NumPy, no item(), no detach().")
def representation_is_differentiable(subject: Subject) -> None:
    """Gradients pass through `to_points2d` and `flip`, for losses and augmentation."""
    it: Representation = subject.build()
    for name, function in (("to_points2d", it.to_points2d), ("flip", it.flip)):
        unit = poses(subject, 1, 2).requires_grad_()
        result = function(unit)
        assert result.requires_grad, f"{name}: no gradient"
        (gradient,) = torch.autograd.grad(result.square().sum(), unit)
        assert gradient.isfinite().all() and gradient.any(), f"{name}: no finite gradient"


@check("representation", 3, "Raise headmotion.MotionError where values have another shape, or the frame has no side.")
def representation_refuses_nonsense(subject: Subject) -> None:
    """Poses with too few points, NaN where a frame is wanted, and a frame without a side are each a `MotionError`."""
    it: Representation = subject.build()
    unit = poses(subject, 1, 2)[0]
    nonsense: dict[str, Callable[[], object]] = {
        "a point too few": lambda: it.normalize(unit[:, 1:], FRAME),
        "the frame of NaN": lambda: it.frame_of(unit * torch.nan),
        "a frame without a side": lambda: it.denormalize(unit, UnitSquare(0.0, 0.0, 0.0)),
    }
    for name, call in nonsense.items():
        try:
            call()
        except MotionError:
            continue
        raise AssertionError(f"{name} is no MotionError")


def _places(subject: Subject, it: Representation, batch: int) -> Tensor:
    """Poses ``[B, 3, P, D]`` of a representation whose numbers depend on where in the picture something is."""
    unit = poses(subject, batch, 3)
    if torch.equal(it.denormalize(unit, FRAME), unit):
        raise NotApplicable("its numbers are no places: they are the same in any frame")
    return unit
