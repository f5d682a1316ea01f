"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import ControlSpec

if TYPE_CHECKING:
    from .control import Nod


class NodSpec(ControlSpec):
    """All points move up and down, as a wave over time."""

    type: Literal["$name/nod"] = "$name/nod"
    reach: float = Field(0.02, ge=0, le=1)
    """Distance from the middle (longer edges of the box around the reference)."""
    hz: float = Field(1.0, gt=0, le=25)
    """Waves per second."""

    def build(self) -> Nod:
        """Build the control."""
        from .control import Nod

        return Nod(self.reach, self.hz)
