"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import BuildContext, DiscriminatorSpec

if TYPE_CHECKING:
    from .discriminator import VelocityDiscriminator


class VelocityDiscriminatorSpec(DiscriminatorSpec):
    """Scores how points move from one frame to the next."""

    type: Literal["$name/velocity"] = "$name/velocity"
    hidden_size: int = Field(32, ge=1, le=4096)
    """Units of the hidden layer."""

    def build(self, context: BuildContext) -> VelocityDiscriminator:
        """Build the discriminator."""
        from .discriminator import VelocityDiscriminator

        return VelocityDiscriminator(self, context)
