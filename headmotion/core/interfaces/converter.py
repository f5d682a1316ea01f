"""Converter: a motion of one representation becomes a motion of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..motion import Motion
    from .representation import Representation


@dataclass(frozen=True)
class Converter:
    """A function from motions of the type ``source`` to motions of the type ``target``, and what it loses.

    A converter of a type to itself drops numbers: depth, Jacobians.

    ``convert(motion, target)`` returns values, reference, frame and representation; units and rate stay. ``target`` is
    the built representation that is requested, with its spec (``target.spec``) and, if it is fitted, its basis. It is
    None where the request does not determine it, because the type has required fields.
    ``motion.build_representation()`` is the representation of the input.
    """

    source: str
    """Type of the input's representation."""
    target: str
    """Type of the output's representation."""
    convert: Callable[[Motion, Representation | None], Motion]
    """The conversion."""
    loss: str = ""
    """What is lost, in a few words; empty if the conversion is exact."""
    framewise: bool = True
    """Whether each pose is converted by itself; False where it is compared with the reference or with other frames, so
    that a single pose says nothing."""

    @property
    def exact(self) -> bool:
        """Whether nothing is lost."""
        return not self.loss
