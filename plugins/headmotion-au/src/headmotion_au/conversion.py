"""Converters to and from action units. Reading this module does not import torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import headmotion as hm

from .facs import BLENDSHAPES, PARTING, sides_of
from .specs import ActionUnitsSpec

if TYPE_CHECKING:
    from torch import Tensor


def from_blendshapes(motion: hm.Motion, target: hm.Representation | None = None) -> hm.Motion:
    """Return the units that ARKit's blend shapes show, by the table `facs.BLENDSHAPES`.

    Raises:
        MotionError: a unit that the table does not have.
    """
    spec = _target_spec(target)
    names = motion.build_representation().point_names

    def convert(values: Tensor) -> Tensor:
        return blendshapes_to_units(values[..., 0], names, spec.units).unsqueeze(-1)

    return _mapped(motion, convert, spec)


def from_landmarks(motion: hm.Motion, target: hm.Representation | None = None) -> hm.Motion:
    """Return the units that distances of landmarks show, relative to the face at rest.

    The face at rest is the reference, or without one the mean of the frames with closed lips.

    Raises:
        MotionError: a unit that landmarks do not show.
    """
    from .landmark_units import landmarks_to_units, resting_face

    spec, plane = _target_spec(target), motion.values[..., :2]
    resting = resting_face(plane) if motion.reference is None else motion.reference[..., :2]
    return _mapped(motion, lambda values: landmarks_to_units(values[..., :2], resting, spec.units), spec)


def to_blendshapes(motion: hm.Motion, target: hm.Representation | None = None) -> hm.Motion:
    """Return blend shapes that show the units; those that no unit of the motion moves are zero."""
    representation = hm.resolve_spec("representation", "blendshapes").build()
    units, names = motion.build_representation().point_names, representation.point_names

    def convert(values: Tensor) -> Tensor:
        return units_to_blendshapes(values[..., 0], units, names).unsqueeze(-1)

    return _mapped(motion, convert, representation.spec)


def blendshapes_to_units(values: Tensor, names: tuple[str, ...], units: tuple[str, ...]) -> Tensor:
    """Return intensities ``[..., N]`` of blend shapes ``[..., S]``.

    Args:
        values: weights of the shapes, 0..1.
        names: of the shapes.
        units: names of the units.

    Raises:
        MotionError: a unit that the table does not have, or a shape that is not among the names.
    """
    return _sums(values, names, units).clamp(0, 1)


def _sums(values: Tensor, names: tuple[str, ...], units: tuple[str, ...]) -> Tensor:
    """Return what `blendshapes_to_units` clamps."""
    matrix = values.new_zeros(len(names), len(units))
    for column, unit in enumerate(units):
        for stem, factor in _table(unit).items():
            for side in (sides := sides_of(stem, names)):
                if side not in names:
                    raise hm.MotionError("action units of blend shapes", f"the shape {side} for {unit}", "none")
                matrix[names.index(side), column] = factor / len(sides)
    return values @ matrix


def units_to_blendshapes(values: Tensor, units: tuple[str, ...], names: tuple[str, ...]) -> Tensor:
    """Return blend shapes ``[..., S]``, 0..1, whose units are the given ones ``[..., N]`` as far as shapes reach.

    What the jaw and the upper lip do not part, the lower lip parts; what they part too far, ``mouthClose`` undoes.

    Args:
        values: intensities.
        units: names of the units.
        names: of the shapes.
    """
    shapes = values.new_zeros(*values.shape[:-1], len(names))

    def add(stem: str, value: Tensor) -> None:
        for side in sides_of(stem, names):
            shapes[..., names.index(side)] += value.clamp(0, 1)

    for column, unit in enumerate(units):
        if unit != PARTING:
            for stem, factor in _table(unit).items():
                add(stem, values[..., column] / factor)
    if PARTING in units:
        factors = BLENDSHAPES[PARTING]
        parted = _sums(shapes.clamp(0, 1), names, (PARTING,))[..., 0]
        missing = values[..., units.index(PARTING)] - parted
        add("mouthLowerDown", missing / factors["mouthLowerDown"])
        add("mouthClose", missing / factors["mouthClose"])
    return shapes.clamp(0, 1)


def _table(unit: str) -> dict[str, float]:
    if unit not in BLENDSHAPES:
        known = ", ".join(BLENDSHAPES)
        raise hm.MotionError("action units of blend shapes", f"units among {known}", unit)
    return dict(BLENDSHAPES[unit])


def _target_spec(target: hm.Representation | None) -> ActionUnitsSpec:
    if target is None:
        return ActionUnitsSpec()
    assert isinstance(target.spec, ActionUnitsSpec)
    return target.spec


def _mapped(motion: hm.Motion, convert: Callable[[Tensor], Tensor], spec: hm.RepresentationSpec) -> hm.Motion:
    reference = None if motion.reference is None else convert(motion.reference)
    described = spec.model_dump(mode="json")
    return replace(motion, values=convert(motion.values), reference=reference, representation=described)


BY_DISTANCES = "everything but lips and jaw, relative to the face at rest"
CONVERTERS = (
    hm.Converter("blendshapes", "au/action-units", from_blendshapes, "sides of the face, and all other shapes"),
    hm.Converter("landmarks68", "au/action-units", from_landmarks, BY_DISTANCES, framewise=False),
    hm.Converter("au/action-units", "blendshapes", to_blendshapes, "nothing more: shapes without a unit stay zero"),
)
"""From blend shapes and landmarks, and to blend shapes, which other programs draw."""
