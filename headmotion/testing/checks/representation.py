"""Checks of representations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ...core.errors import HeadmotionError, MotionError
from ...core.interfaces.representation import Representation, SupportsFitting, SupportsPoints2D, UnitSquare
from ...core.interfaces.specs import resolve_spec
from ...core.motion import Motion
from ..build_context import Subject, source_motions
from ..hypothesis_sizes import for_sizes
from ..inputs import FPS, UNIT_SQUARE, assert_close, poses
from ..kit import NotApplicable, check


@check(
    "representation", 1, "Compare name, points, point_names, groups, contours, openings, edges, mirror and neutral()."
)
def representation_is_consistent(subject: Subject) -> None:
    """Name and type are the same, counts agree, indices are points, the mirror swaps pairs, `neutral` is ``[P, D]``."""
    part: Representation = subject.build()
    assert part.name == subject.spec.type_name(), f"the name {part.name!r}, but the type {subject.spec.type_name()!r}"
    count = part.points
    assert len(part.point_names) == len(set(part.point_names)) == count, "point_names: one name per point is needed"
    groups = [*part.groups.values(), part.mirror]
    if isinstance(part, SupportsPoints2D):
        groups += [*part.contours.values(), *part.edges, part.scale_pair]
        groups += [pair for opening in part.openings.values() for pair in opening]
    stray = {point for indices in groups for point in indices} - set(range(count))
    assert not stray, f"indices beyond the {count} points: {sorted(stray)}"
    assert all(part.mirror[part.mirror[point]] == point for point in range(count)), "mirror: not its own inverse"
    assert part.neutral().shape == (count, part.dims), f"neutral: shape {list(part.neutral().shape)}"


@check("representation", 1, "`denormalize` must invert `normalize` for any square, and `flip` must be its own inverse.")
def representation_maps_round_trip(subject: Subject) -> None:
    """`denormalize` inverts `normalize`, `flip` inverts itself, `to_points2d` gives ``[..., P, 2]``, for any batch."""
    part: Representation = subject.build()

    def check_sizes(batch: int, frames: int) -> None:
        unit = poses(subject, batch, frames)
        pixels = part.denormalize(unit, UNIT_SQUARE)
        assert_close(part.normalize(pixels, UNIT_SQUARE), unit, "unit to pixels and back")
        assert_close(part.flip(part.flip(unit)), unit, "flipped twice")
        single = part.normalize(unit[0, 0], UNIT_SQUARE)
        assert_close(part.normalize(unit, UNIT_SQUARE)[0, 0], single, "normalize of a single pose")
        if isinstance(part, SupportsPoints2D):
            shape = part.to_points2d(unit).shape
            assert shape == (batch, frames, part.points, 2), f"to_points2d: {list(shape)}"
            assert_close(part.to_points2d(unit)[0, 0], part.to_points2d(unit[0, 0]), "to_points2d of a single pose")

    for_sizes(check_sizes, batch=(1, 4), frames=(1, 6))


@check("representation", 2, "`frame_of` takes the center of the box around all points, and twice its longer edge.")
def representation_fills_unit_square(subject: Subject) -> None:
    """In their own unit square, poses are centered, and the longer edge of their box is half the square's side."""
    part: Representation = subject.build()
    pixels = part.denormalize(_placed_poses(subject, part, 1)[0], UNIT_SQUARE)
    points = part.to_points2d(part.normalize(pixels, part.frame_of(pixels))).reshape(-1, 2)
    low, high = points.amin(0), points.amax(0)
    assert_close((low + high) / 2, torch.full((2,), 0.5), "center of the box", 1e-3)
    assert_close((high - low).max(), torch.tensor(0.5), "longer edge of the box", 1e-3)


@check("representation", 2, "Mirror the output of `to_points2d`: x becomes 1 - x, and points swap with their mirrors.")
def representation_flip_mirrors_points(subject: Subject) -> None:
    """The points of a flipped pose are mirrored: point ``i`` is at ``(1 - x, y)`` of point ``mirror[i]``."""
    part: Representation = subject.build()
    unit = _placed_poses(subject, part, 2)
    points = part.to_points2d(unit)[..., list(part.mirror), :]
    expected = torch.stack([1 - points[..., 0], points[..., 1]], dim=-1)
    assert_close(part.to_points2d(part.flip(unit)), expected, "the mirrored points", 1e-4)


@check("representation", 2, "Compute with torch on the values given; no NumPy, no item(), no detach().")
def representation_is_differentiable(subject: Subject) -> None:
    """Gradients pass through `to_points2d` and `flip`, for losses and augmentation."""
    part: Representation = subject.build()
    functions = {"flip": part.flip}
    if isinstance(part, SupportsPoints2D):
        functions["to_points2d"] = part.to_points2d
    for name, function in functions.items():
        unit = poses(subject, 1, 2).requires_grad_()
        output = function(unit)
        assert output.requires_grad, f"{name}: no gradient"
        # Squared, because a plain sum has the same gradient for every pose.
        (gradient,) = torch.autograd.grad(output.square().sum(), unit)
        assert gradient.isfinite().all() and gradient.any(), f"{name}: no finite gradient"


@check("representation", 3, "Raise headmotion.MotionError for values of another shape and for a square without a side.")
def representation_rejects_invalid_input(subject: Subject) -> None:
    """Poses with too few points, the unit square of NaN, and a square without a side each raise a `MotionError`."""
    part: Representation = subject.build()
    unit = poses(subject, 1, 2)[0]
    invalid: dict[str, Callable[[], object]] = {
        "a missing point": lambda: part.normalize(unit[:, 1:], UNIT_SQUARE),
        "the unit square of NaN": lambda: part.frame_of(unit * torch.nan),
        "a square without a side": lambda: part.denormalize(unit, UnitSquare(0.0, 0.0, 0.0)),
    }
    for name, call in invalid.items():
        try:
            call()
        except MotionError:
            continue
        raise AssertionError(f"{name} raises no MotionError")


@check("representation", 1, "Register the basis as buffers of their final shape; call `unfitted` where it is missing.")
def representation_fits_and_travels(subject: Subject) -> None:
    """With `SupportsFitting`, it refuses conversions until it is fitted, and its basis comes back from its tensors.

    A motion converted to the fitted representation is understood by itself: it converts back to the fitted type.
    """
    part: Representation = subject.spec.build(subject.context)  # type: ignore[assignment]
    if not isinstance(part, SupportsFitting):
        raise NotApplicable("it does not declare SupportsFitting")
    assert not part.fitted, "it is fitted before `fit`"
    source = resolve_spec("representation", part.fit_source).build()
    motion = source_motions(source, 1)[0]
    recorded = Motion(motion, FPS, source.spec.model_dump(mode="json"), UNIT_SQUARE, units="unit")
    try:
        recorded.to(part)
    except HeadmotionError:
        pass
    else:
        raise AssertionError("a motion is converted to it before it is fitted")
    part.fit(iter(source_motions(source, 8)))
    assert part.fitted, "it is not fitted after `fit`"
    copy: Representation = subject.spec.build(subject.context)  # type: ignore[assignment]
    copy.load_state_dict(part.state_dict())
    assert isinstance(copy, SupportsFitting) and copy.fitted, "it is not fitted after its tensors were loaded"
    coded = recorded.to(part)
    assert coded.values.shape[1:] == (part.points, part.dims), f"a motion of the shape {list(coded.values.shape)}"
    assert_close(recorded.to(copy).values, coded.values, "converted by a copy from its tensors")
    back = replace(coded, provenance={}).to(part.fit_source)
    assert back.values.shape == motion.shape and back.values.isfinite().all(), "it does not convert back"


def _placed_poses(subject: Subject, part: Representation, batch: int) -> Tensor:
    """Return poses ``[B, 3, P, D]`` of a representation whose numbers depend on the position in the picture."""
    unit = poses(subject, batch, 3)
    if not isinstance(part, SupportsPoints2D):
        raise NotApplicable("it does not declare SupportsPoints2D")
    if torch.equal(part.denormalize(unit, UNIT_SQUARE), unit):
        raise NotApplicable("its numbers are no positions: they are the same in any unit square")
    return unit
