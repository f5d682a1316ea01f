"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import BuildContext, GeneratorSpec

if TYPE_CHECKING:
    from .generator import WindowGenerator


class WindowGeneratorSpec(GeneratorSpec):
    """Each frame is the reference, moved by the audio of a window that ends with the frame."""

    type: Literal["template/window"] = "template/window"
    frames: int = Field(8, ge=1, le=1000)
    """Length of the window (motion frames)."""
    hidden_size: int = Field(64, ge=1, le=4096)
    """Units of the hidden layer."""
    reach: float = Field(0.1, gt=0)
    """Distance by which an output of 1 moves a point from the reference (sides of the unit frame)."""

    def build(self, context: BuildContext) -> WindowGenerator:
        """Build the generator."""
        from .generator import WindowGenerator

        return WindowGenerator(self, context)
