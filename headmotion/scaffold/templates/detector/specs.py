"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from headmotion import BuildContext, DetectorSpec

if TYPE_CHECKING:
    from .detector import BrightBox


class BrightBoxSpec(DetectorSpec):
    """The resting pose, fitted into the box around all bright pixels. It cannot distinguish a face from a lamp."""

    type: Literal["$name/bright-box"] = "$name/bright-box"
    threshold: int = Field(64, ge=1, le=255)
    """Least brightness of a bright pixel, 1 to 255."""

    def build(self, context: BuildContext) -> BrightBox:
        """Build the detector."""
        from .detector import BrightBox

        return BrightBox(self, context)
