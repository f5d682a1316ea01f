"""Checks of converters between representations."""

from __future__ import annotations

from dataclasses import replace

import torch

from ...core.conversion import apply_converter, basis_of
from ...core.errors import MotionError, did_you_mean
from ...core.interfaces.representation import Representation
from ...core.interfaces.specs import resolve_spec
from ...core.motion import Motion
from ...core.plugins import registry
from ...core.spec import required_fields
from ..build_context import fit_if_needed
from ..inputs import FPS, UNIT_SQUARE
from ..kit import NotApplicable, check
from ..offer import Offer

FRAMES = 5
"""Frames of the motion that is converted."""


@check("converter", 1, "Correct the name of the type, or return its spec class from headmotion_specs.")
def converter_types_are_registered(subject: Offer) -> None:
    """Source and target are types of representations; those of a plugin that is not installed are not examined."""
    known = registry().types("representation")
    for name in (subject.value.source, subject.value.target):
        if name not in known:
            namespace = name.rpartition("/")[0]
            if namespace and (missing := registry().absent(namespace)):
                raise NotApplicable(missing)
            remedy = did_you_mean(name, known)
            raise AssertionError(f"there is no representation {name!r}" + (f"; {remedy}" if remedy else ""))


@check("converter", 1, "Return dataclasses.replace(motion, values=..., reference=..., representation={...}).")
def converter_returns_its_target(subject: Offer) -> None:
    """A motion becomes one of the target: as many frames, finite values ``[T, P, D]``, and the same rate and units.

    A reference is converted too.
    """
    motion = _motion(subject)
    result = _converted(subject, motion)
    assert result.fps == motion.fps and result.units == motion.units, f"{result.fps} fps in {result.units}"
    assert result.values.isfinite().all(), "NaN or infinite"
    reference, shape = result.reference, result.values.shape[1:]
    assert reference is None or reference.shape == shape, f"the reference {list(reference.shape)}, not {list(shape)}"
    empty = _converted(subject, motion[:0])
    assert empty.values.shape == (0, *shape), f"a motion without frames becomes {list(empty.values.shape)}"


@check("converter", 2, "Copy before writing: values = motion.values.clone().")
def converter_does_not_modify_the_motion(subject: Offer) -> None:
    """The motion that is converted stays as it is."""
    motion = _motion(subject)
    copy = replace(motion, values=motion.values.clone())
    _converted(subject, motion)
    assert torch.equal(motion.values, copy.values), "its values have changed"


def _built(name: str) -> Representation | None:
    """Return a representation by its type, fitted if need be; None if it has required fields."""
    cls = registry().resolve("representation", name)
    if required_fields(cls) and not cls.for_checks:
        return None
    representation = resolve_spec("representation", {"type": name, **cls.for_checks}).build()
    fit_if_needed(representation)
    return representation


def _converted(subject: Offer, motion: Motion) -> Motion:
    try:
        return apply_converter(subject.value, motion, _built(subject.value.target))
    except MotionError as error:  # such as a type whose numbers per point are a field
        raise NotApplicable(f"it refuses the kit's motion: {error}") from None


def _motion(subject: Offer) -> Motion:
    """Return noisy resting poses of the source, in pixels, with a reference."""
    for name in (subject.value.source, subject.value.target):
        if name not in registry().types("representation"):
            raise NotApplicable(f"there is no representation {name!r}")
    source = _built(subject.value.source)
    if source is None:
        raise NotApplicable(f"{subject.value.source} has required fields, and no for_checks with them")
    neutral = source.neutral()
    noise = torch.randn(FRAMES, *neutral.shape, generator=torch.Generator().manual_seed(0))
    values = source.denormalize(neutral + 0.01 * noise, UNIT_SQUARE)
    spec = source.spec.model_dump(mode="json")
    return Motion(values, FPS, spec, UNIT_SQUARE, reference=values[0], basis=basis_of(source))
