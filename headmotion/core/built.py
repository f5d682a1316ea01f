"""Checks of a part right after it was built: a wrong part of a plugin is one error that names it."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor

from .component import Component
from .errors import OutputError
from .interfaces.representation import Representation, SupportsFitting, UnitSquare
from .outputs import REMEDY
from .short_repr import shown
from .spec import Spec

P = TypeVar("P")


def checked_part(spec: Spec, part: P) -> P:
    """Return what a spec has built after a check that it is a part of the spec's kind.

    Raises:
        OutputError: it is something else, such as nothing.
    """
    own = part.spec if isinstance(part, Component) else None
    if not (isinstance(own, Spec) and own.kind == spec.kind):
        kind = spec.kind.replace("_", " ")
        raise OutputError(f"{kind} {spec.type_name()}", f"build to return a {kind}", shown(part), REMEDY)
    return part


def checked_representation(spec: Spec, built: P) -> P:
    """Return a representation after a check of what every other part relies on, by its neutral pose.

    Raises:
        OutputError: a method returns something else than its interface promises.
    """
    representation = checked_part(spec, built)
    # One that is still to be fitted has no neutral pose; the phase that fits it will ask for it.
    if isinstance(representation, Representation) and not isinstance(representation, SupportsFitting):
        pose = representation.neutral()
        _require(representation, "neutral", pose, (representation.points, representation.dims))
        square = representation.frame_of(pose[None])
        if not isinstance(square, UnitSquare):
            raise _wrong(representation, "frame_of", "a UnitSquare", square)
        values = representation.denormalize(pose[None], square)
        _require(representation, "denormalize", values, (1, *pose.shape))
        _require(representation, "normalize", representation.normalize(values, square), (1, *pose.shape))
    return representation


def _require(part: Component, method: str, values: Any, shape: tuple[int, ...]) -> None:
    fits = isinstance(values, Tensor) and values.is_floating_point() and values.shape == shape
    if not (fits and bool(torch.isfinite(values).all())):
        raise _wrong(part, method, f"finite values {list(shape)}", values)


def _wrong(part: Component, method: str, expected: str, got: Any) -> OutputError:
    name = f"{part.spec.kind} {part.spec.type_name()}"
    return OutputError(name, f"{method} to return {expected}", shown(got), REMEDY)
