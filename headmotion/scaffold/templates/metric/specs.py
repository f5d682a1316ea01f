"""Specs of the plugin's parts. They are read without torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from headmotion import BuildContext, MetricSpec

if TYPE_CHECKING:
    from .metric import Speed


class SpeedSpec(MetricSpec):
    """How fast points move, in distances of the representation's scale pair."""

    type: Literal["$name/speed"] = "$name/speed"

    def build(self, context: BuildContext) -> Speed:
        """Make the metric."""
        from .metric import Speed

        return Speed(self, context)
