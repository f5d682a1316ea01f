"""What the plugin headmotion-flow offers, on public names only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

import headmotion as hm


class FlowSpec(hm.GeneratorSpec):
    """Motion of a whole clip at once, by flow matching (Lipman and others 2023)."""

    type: Literal["flow/clip"] = "flow/clip"
    width: int = Field(48, ge=1)
    """Channels of the network."""
    euler_steps: int = Field(6, ge=1)
    """Steps from noise to motion."""

    def build(self, context: hm.BuildContext) -> hm.Generator:
        """Build the generator."""
        from flow_generator import FlowGenerator

        return FlowGenerator(self, context)


@hm.hookimpl
def headmotion_specs() -> Iterable[type[hm.Spec]]:
    return [FlowSpec]
