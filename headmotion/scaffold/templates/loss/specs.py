"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import BuildContext, LossSpec

if TYPE_CHECKING:
    from .loss import Acceleration


class AccelerationSpec(LossSpec):
    """Penalizes sudden movements that the real motion does not have."""

    type: Literal["$name/acceleration"] = "$name/acceleration"
    weight: float = Field(1.0, ge=0)
    """Weight of the term."""

    def build(self, context: BuildContext) -> Acceleration:
        """Build the loss."""
        from .loss import Acceleration

        return Acceleration(self)
