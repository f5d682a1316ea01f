"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import BuildContext, RendererSpec

if TYPE_CHECKING:
    from .renderer import Dots


class DotsSpec(RendererSpec):
    """White dots for the points, on black."""

    type: Literal["$name/dots"] = "$name/dots"
    size: int = Field(256, ge=16, le=4096)
    """Edge of the square picture (px)."""
    radius: int = Field(2, ge=1, le=1000)
    """Radius of a dot (px)."""

    def build(self, context: BuildContext) -> Dots:
        """Build the renderer."""
        from .renderer import Dots

        return Dots(self, context)
