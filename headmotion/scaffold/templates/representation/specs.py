"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from headmotion import BuildContext, RepresentationSpec

if TYPE_CHECKING:
    from .representation import Mouth


class MouthSpec(RepresentationSpec):
    """Six points of a face: nose, corners of the mouth, upper and lower lip, chin."""

    type: Literal["$name/mouth"] = "$name/mouth"

    def build(self, context: BuildContext | None = None) -> Mouth:
        """Build the representation."""
        from .representation import Mouth

        return Mouth(self)
