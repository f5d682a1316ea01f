"""Specs of the plugin's parts. They are read without torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import BuildContext, GeneratorSpec

if TYPE_CHECKING:
    from .generator import WindowGenerator


class WindowGeneratorSpec(GeneratorSpec):
    """Each frame is the reference, moved by what was heard in a window that ends with the frame."""

    type: Literal["template/window"] = "template/window"
    frames: int = Field(8, ge=1)
    """Length of the window (motion frames)."""
    hidden_size: int = Field(64, ge=1)
    """Units of the hidden layer."""
    reach: float = Field(0.1, gt=0)
    """How far a point moves from the reference where an output is 1 (sides of the unit frame)."""

    def build(self, context: BuildContext) -> WindowGenerator:
        """Make the generator."""
        from .generator import WindowGenerator

        return WindowGenerator(self, context)
