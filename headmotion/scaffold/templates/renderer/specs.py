"""Specs of the plugin's parts. They are read without torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import BuildContext, RendererSpec

if TYPE_CHECKING:
    from .renderer import Dots


class DotsSpec(RendererSpec):
    """A white dot for each point on black."""

    type: Literal["$name/dots"] = "$name/dots"
    size: int = Field(256, ge=16, le=4096)
    """Edge of the square picture (px)."""
    radius: int = Field(2, ge=1)
    """Of a dot (px)."""

    def build(self, context: BuildContext) -> Dots:
        """Make the renderer."""
        from .renderer import Dots

        return Dots(self, context)
