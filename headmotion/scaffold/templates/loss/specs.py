"""Specs of the plugin's parts. They are read without torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import BuildContext, LossSpec

if TYPE_CHECKING:
    from .loss import Acceleration


class AccelerationSpec(LossSpec):
    """Sudden movements, as far as the real motion has none."""

    type: Literal["$name/acceleration"] = "$name/acceleration"
    weight: float = Field(1.0, ge=0)
    """Weight of the term."""

    def build(self, context: BuildContext) -> Acceleration:
        """Make the loss."""
        from .loss import Acceleration

        return Acceleration(self)
