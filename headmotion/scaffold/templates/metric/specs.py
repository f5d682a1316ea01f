"""Specs of the plugin's parts. Reading them does not import torch; `build` imports what needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from headmotion import BuildContext, MetricSpec

if TYPE_CHECKING:
    from .metric import Speed


class SpeedSpec(MetricSpec):
    """Mean speed of the points, in distances of the representation's scale pair per second."""

    type: Literal["$name/speed"] = "$name/speed"

    def build(self, context: BuildContext) -> Speed:
        """Build the metric."""
        from .metric import Speed

        return Speed(self, context)
