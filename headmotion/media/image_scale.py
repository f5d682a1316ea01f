"""Poses in the pixels of a picture, when the picture is reduced by a whole factor."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ..core.interfaces.representation import Representation, UnitSquare
from ..core.motion import Motion

CANVAS = 512
"""Pixels of the square on which motion without a picture is drawn."""


def reduced(values: Tensor, factor: float, representation: Representation) -> Tensor:
    """Poses ``[..., P, D]`` in pixels of a picture in those of the picture reduced by ``factor``."""
    if factor == 1:
        return values
    # As a change of frames, in which the representation knows what are lengths and what are not.
    unit = representation.normalize(values, UnitSquare(-0.5, -0.5, factor))
    return representation.denormalize(unit, UnitSquare(-0.5, -0.5, 1))


def in_pixels(motion: Motion, factor: int, representation: Representation) -> Motion:
    """A motion in the pixels of its picture reduced by ``factor``.

    One of the unit frame becomes as if its picture were a square of `CANVAS` pixels.
    """
    unit = motion.units != "px"
    if factor == 1 and not unit:
        return motion
    frame = UnitSquare(CANVAS / 2, CANVAS / 2, CANVAS) if unit else motion.frame
    small = frame and UnitSquare((frame.x + 0.5) / factor - 0.5, (frame.y + 0.5) / factor - 0.5, frame.side / factor)

    def placed(values: Tensor) -> Tensor:
        pixels = representation.denormalize(values, frame) if unit and frame else values
        return reduced(pixels, factor, representation)

    reference = None if motion.reference is None else placed(motion.reference)
    return replace(motion, values=placed(motion.values), reference=reference, frame=small, units="px")
