"""Converter: a motion of one representation as a motion of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..motion import Motion


@dataclass(frozen=True)
class Converter:
    """A function from motions of the type ``source`` to motions of the type ``target``, and what it loses.

    A converter of a type to itself drops numbers: depth, Jacobians.
    """

    source: str
    """Type of the representation that comes in."""
    target: str
    """Type of the representation that goes out."""
    convert: Callable[[Motion], Motion]
    """Values, reference, frame and representation of the motion in other terms; units and rate stay."""
    loss: str = ""
    """What is lost, in a few words; empty: nothing is, and the conversion is exact."""

    @property
    def exact(self) -> bool:
        """Whether nothing is lost."""
        return not self.loss
