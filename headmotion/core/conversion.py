"""Converting a motion into another representation by the converters that plugins offer."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from .errors import MotionError, OutputError, SpecError, did_you_mean
from .interfaces.converter import Converter
from .interfaces.specs import RepresentationSpec, resolve_spec
from .plugins import registry
from .short_repr import short_repr, shown

if TYPE_CHECKING:
    from torch import Tensor

    from .interfaces.representation import Representation
    from .motion import Motion


REMEDY = "correct the converter"
Target = RepresentationSpec | Mapping[str, Any] | str


def convert(motion: Motion, target: Target | Representation) -> Motion:
    """Convert a motion; see `Motion.to`, whose arguments and errors are the same."""
    requested, built = _request(target)
    source_type, target_type = str(motion.representation.get("type")), requested["type"]
    if source_type == target_type and _fits(motion, requested):
        if built is not None and not same_basis(motion.basis, basis_of(built)):
            remedy = "convert from the motion that it was made from"
            raise MotionError(f"motion of {source_type}", "the basis of the representation", "another basis", remedy)
        return motion
    if not bool(torch.isfinite(motion.values).all()):
        raise MotionError(f"motion of {source_type}", "finite numbers", "NaN or infinity")
    converters = registry().converters
    path = route(converters.values(), source_type, target_type)
    if not path:
        known = sorted(reachable(converters.values(), source_type))
        expected = f"a representation that it converts into: {', '.join(known) or 'nothing else'}"
        # A type that exists is meant, however similar another one is.
        remedy = "" if ("representation", target_type) in registry().specs else did_you_mean(target_type, known)
        raise MotionError(f"motion of {source_type}", expected, repr(target_type), remedy)
    result = motion
    for converter in path:
        result = apply_converter(converter, result, built if converter.target == target_type else None)
    # A converter of a type to itself drops numbers, such as depth, that the request may not have.
    reduction = converters.get((target_type, target_type))
    if not _fits(result, requested) and reduction is not None and reduction not in path:
        path, result = (*path, reduction), apply_converter(reduction, result, built)
    if not _fits(result, requested):
        possible, got = (json.dumps(fields, sort_keys=True) for fields in (_fields(result, requested), requested))
        raise MotionError(f"motion of {source_type} to {target_type}", f"what converters can make, {possible}", got)
    earlier = motion.provenance.get("converted", ())
    steps = [{"from": step.source, "to": step.target, "loss": step.loss} for step in path]
    return replace(result, speech=motion.speech, provenance={**motion.provenance, "converted": [*earlier, *steps]})


def apply_converter(converter: Converter, motion: Motion, target: Representation | None) -> Motion:
    """Return what one converter makes of a motion; the basis becomes that of the target.

    Args:
        converter: of the motion's type.
        motion: the motion.
        target: the built representation that is requested; None if the request does not determine it.

    Raises:
        OutputError: the converter returned something else than a motion of its target.
    """
    if target is None and converter.source != converter.target:
        with suppress(SpecError):  # a type with required fields, which only its converters know
            target = resolve_spec("representation", converter.target).build()
    result = _checked(converter, motion, converter.convert(motion, target))
    if target is None:
        return result if converter.source == converter.target else replace(result, basis={})
    return replace(result, basis=basis_of(target))


def _checked(converter: Converter, motion: Motion, result: Any) -> Motion:
    """Return what a converter returned after a check that it is a motion of its target, frame by frame."""
    name = f"converter of {converter.source} to {converter.target}"
    if not isinstance(result, type(motion)):
        raise OutputError(name, "a motion", shown(result), REMEDY)
    if (got := result.representation.get("type")) != converter.target:
        raise OutputError(name, f"a motion of {converter.target}", f"one of {got}", REMEDY)
    try:
        representation = resolve_spec("representation", dict(result.representation)).build()
    except SpecError as error:
        raise OutputError(name, f"a motion with a spec of {converter.target}", str(error), REMEDY) from None
    shape = len(motion), representation.points, representation.dims
    if tuple(result.values.shape) != shape:
        raise OutputError(name, f"values {list(shape)}", shown(result.values), REMEDY)
    return result


def basis_of(representation: Representation) -> dict[str, Tensor]:
    """Return the tensors of a fitted representation by name, on the CPU; empty for all others."""
    return {name: tensor.detach().cpu() for name, tensor in representation.state_dict().items()}


def same_basis(basis: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Return whether two bases have the same tensors."""
    return basis.keys() == other.keys() and all(bool((basis[name] == other[name]).all()) for name in basis)


def route(converters: Iterable[Converter], source: str, target: str) -> tuple[Converter, ...]:
    """Return the shortest path of one converter or more from a type to another; empty if there is none."""
    known = tuple(converters)
    # Breadth first, so the first path that arrives is the shortest.
    paths: deque[tuple[Converter, ...]] = deque((converter,) for converter in known if converter.source == source)
    visited = set()
    while paths:
        path = paths.popleft()
        end = path[-1].target
        if end == target:
            return path
        if end not in visited:
            visited.add(end)
            paths.extend((*path, step) for step in known if step.source == end != step.target)
    return ()


def reachable(converters: Iterable[Converter], source: str) -> set[str]:
    """Return all types into which motions of a type can be converted."""
    known = tuple(converters)
    return {converter.target for converter in known if route(known, source, converter.target)}


def _request(target: Target | Representation) -> tuple[dict[str, Any], Representation | None]:
    """Return the fields that the result must have, and the representation if the request determines it."""
    if not isinstance(target, RepresentationSpec | Mapping | str):
        if not hasattr(target, "spec"):
            raise MotionError("motion.to", "a representation, its spec or its type", short_repr(target))
        return target.spec.model_dump(mode="json"), target
    fields = _requested_fields(target)
    with suppress(SpecError):  # a type with required fields, or one that is not known
        return fields, resolve_spec("representation", fields).build()
    return fields, None


def _requested_fields(target: Target) -> dict[str, Any]:
    if isinstance(target, RepresentationSpec):
        return target.model_dump(mode="json")
    fields = {"type": target} if isinstance(target, str) else dict(target)
    if not isinstance(fields.get("type"), str):
        raise MotionError("motion.to", "a type of representation, or an object with a 'type'", short_repr(target))
    as_json: dict[str, Any] = json.loads(json.dumps(fields))  # tuples become lists, as in a dumped spec
    return as_json


def _fields(motion: Motion, requested: Mapping[str, Any]) -> dict[str, Any]:
    """Return those fields of the motion's representation that are requested, defaults included, as JSON values."""
    kind = registry().resolve("representation", str(motion.representation.get("type")))
    spec = kind.model_validate(dict(motion.representation))
    return {name: json.loads(json.dumps(getattr(spec, name, None), default=dict)) for name in requested}


def _fits(motion: Motion, requested: Mapping[str, Any]) -> bool:
    return _fields(motion, requested) == requested
