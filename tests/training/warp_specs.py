"""The plugin of the renderer in warp_renderer: what a package ``headmotion-tiny`` would register."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import headmotion as hm


class WarpSpec(hm.RendererSpec):
    """Pictures of 64 x 64 pixels: the still picture, bent and repainted by a small U-Net."""

    type: Literal["tiny/warp"] = "tiny/warp"
    width: int = 24
    """Channels of the network."""

    def build(self, context: hm.BuildContext) -> hm.Renderer:
        """Build the renderer."""
        from warp_renderer import Warp

        return Warp(self, context)


@hm.hookimpl
def headmotion_specs() -> Iterable[type[hm.Spec]]:
    """Return the renderer."""
    return [WarpSpec]
